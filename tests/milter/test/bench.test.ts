import { describe, expect, it } from 'vitest';
import { compare, isLeftOut } from '../src/bench/compare.ts';
import { contenders } from '../src/bench/contenders.ts';

/** As short as can be: what is tested is that everything is measured, not how fast it is. */
const options = { messages: 20, rounds: 1, warmUp: 20, bytes: 10_000, calibrationSeconds: 0.01 };

describe('the benchmark of milters', () => {
  it('sees our milter and the floor do their work, and names a peer that cannot be measured', async () => {
    const absent = {
      name: 'absent',
      task: 'sign' as const,
      checks: '',
      start: () => Promise.reject(new Error('not installed')),
    };
    const ours = contenders.filter(({ name }) => name === 'zegel' || name === 'floor');
    const figures: string[] = [];
    const leftOut: string[] = [];
    for await (const outcome of compare([absent, ...ours], options)) {
      if (isLeftOut(outcome)) {
        leftOut.push(`${outcome.contender.name}: ${String(outcome.error)}`);
        continue;
      }
      const { contender, newConnections, reused, p99, perSecond } = outcome;
      for (const figure of [newConnections, reused, p99, perSecond]) expect(figure).toBeGreaterThan(0);
      figures.push(`${contender.name} ${contender.task}`);
    }
    expect(leftOut).toEqual(['absent: Error: not installed']);
    expect(figures).toEqual(['floor sign', 'zegel sign', 'floor verify', 'zegel verify']);
  });
});
