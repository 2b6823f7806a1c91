import { describe, expect, test } from 'vitest';
import { runFuzz } from '../src/guard.ts';
import { targetNames } from '../src/targets.ts';

/** Enough to see that a target works and that nothing plain is broken; `npm run fuzz` is for the rest. */
const brief = { seed: 'brief', seconds: 30, executions: 90, corpus: [], maxSeeds: 12 };

describe('a short run of every target', () => {
  test.each(targetNames)('%s', async (target) => {
    const { findings, progress } = await runFuzz({ target, ...brief });
    expect(findings).toEqual([]);
    expect(progress?.executions).toBeGreaterThan(0);
    expect(progress?.coverage.some(({ ran }) => ran > 0)).toBe(true);
  });
});
