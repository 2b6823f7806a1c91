import { describe, expect, it } from 'vitest';
import { describeTally, runCampaign } from '../src/campaign.ts';
import type { Comparison, Suite } from '../src/campaign.ts';
import { findRuling } from '../src/ruling.ts';
import { settledDisagreements } from '../src/rulings.ts';

/** A suite whose every third input is in dispute, and every sixth for a known reason. */
const suite: Suite = {
  name: 'suite',
  async compare(index) {
    const agrees = index % 3 !== 0;
    const comparison: Comparison = { peer: 'peer', ours: 'pass', theirs: agrees ? 'pass' : 'fail', agrees };
    return {
      comparisons: [index % 6 === 0 ? { ...comparison, ruling: 'known' } : comparison],
      input: Buffer.from(`input ${index}`),
    };
  },
  [Symbol.asyncDispose]: async () => {},
};

describe('a differential run', () => {
  it('counts comparisons and settled disagreements, and keeps the others', async () => {
    const tally = await runCampaign(suite, { count: 12 });
    expect(tally.inputs).toBe(12);
    expect(tally.comparisons).toEqual(new Map([['peer', 12]]));
    expect(tally.settled).toEqual(new Map([['known', 2]]));
    expect(tally.unsettled.map(({ index }) => index)).toEqual([3, 9]);
  });

  it('says what it takes to repeat an unsettled disagreement: seed, index and input', async () => {
    const report = describeTally(await runCampaign(suite, { first: 9, count: 1 }), 7);
    expect(report).toContain('seed 7, index 9: we say pass, peer says fail');
    expect(report).toContain(Buffer.from('input 9').toString('base64'));
  });

  it('ends early when it has seen enough', async () => {
    const tally = await runCampaign(suite, { count: 1000, enough: 1, concurrency: 1 });
    expect(tally.inputs).toBe(4);
  });
});

describe('rulings', () => {
  it('are found for the peer they are about, and where they apply', () => {
    const rulings = [
      { id: 'a', peer: 'one', what: '', standard: '', applies: (value: number) => value > 1 },
      { id: 'b', peer: 'two', what: '', standard: '', applies: () => true },
    ];
    expect(findRuling(rulings, 'one', 2)).toBe('a');
    expect(findRuling(rulings, 'one', 1)).toBeUndefined();
    expect(findRuling(rulings, 'two', 1)).toBe('b');
  });

  it('have names of their own, and cite a standard or say that there is none', () => {
    const ids = settledDisagreements.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, standard } of settledDisagreements) expect(standard, id).toMatch(/RFC \d{4}/u);
  });
});
