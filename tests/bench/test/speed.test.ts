import { beforeAll, describe, expect, it } from 'vitest';
import { toChart } from '../src/chart.ts';
import { toMarkdown } from '../src/markdown.ts';
import type { Results } from '../src/results.ts';
import { measureSpeed, speedOptions } from '../src/speed.ts';

let results: Results;

/** As short as can be: what is tested is that everything is measured, not how fast it is. */
beforeAll(async () => {
  results = await measureSpeed({
    ...speedOptions,
    rounds: 1,
    sampleSeconds: 0.001,
    warmUpSeconds: 0.001,
    largest: 10_000,
    streamMegabytes: 2,
    verifications: 40,
    rest: {
      modes: ['express', 'zegel'],
      warmUpRounds: 1,
      rounds: 1,
      turnSeconds: 0.01,
      waitModes: ['zegel'],
      waitWarmUp: 1,
      stretches: 1,
    },
  });
}, 300_000);

describe('the speed benchmark', () => {
  it('has everybody in the races', () => {
    expect(results.missing).toEqual([]);
    const names = results.races.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['sign-10k', 'sign-1m', 'sign-html', 'verify-10k', 'verify-html', 'spf', 'dmarc', 'auth']),
    );
    const sign = results.races.find(({ name }) => name === 'sign-10k');
    expect(sign?.rates.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'floor',
        'bare probe',
        'zegel',
        'mailauth',
        'nodemailer',
        'dkimpy',
        'Mail::DKIM',
        'libopendkim',
      ]),
    );
  });

  it('has a rate for each of them', () => {
    for (const { rates } of results.races) {
      for (const { rate, samples, quiet } of rates) {
        expect(rate).toBeGreaterThan(0);
        expect(samples).toHaveLength(1);
        expect(quiet).toBeGreaterThan(0);
      }
    }
  });

  it('names no target that nobody races for', () => {
    for (const { targets, rates } of results.races) {
      const names = rates.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(Object.keys(targets)));
    }
  });

  it('measures growth, memory, start and REST', () => {
    expect(results.growth).toHaveLength(6);
    expect(results.memory?.resident).toHaveLength(20);
    expect(results.startUp?.sign).toBeGreaterThan(results.startUp?.nothing ?? 0);
    expect(results.rest?.rows).toHaveLength(2);
    expect(results.rest?.waits).toHaveLength(1);
  });

  it('writes it as markdown and as a chart', () => {
    const markdown = toMarkdown(results);
    for (const { title } of results.races) expect(markdown).toContain(`### ${title}`);
    expect(markdown).not.toMatch(/NaN|undefined|Infinity/);
    const chart = toChart(results);
    expect(chart).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect(chart).not.toMatch(/NaN|undefined/);
  });
});
