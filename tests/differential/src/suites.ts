import type { Suite } from './campaign.ts';
import { mailSuite } from './mail/suite.ts';
import { spfSuite } from './spf/suite.ts';

interface SuiteDescription {
  /** Inputs of a full run. */
  readonly count: number;
  readonly start: (seed: number) => Promise<Suite>;
}

/** dkimpy and Mail::DKIM get every fifth message: 4,000 of a full run. */
export const peersEvery = 5;

export const suites = {
  mail: { count: 20_000, start: (seed) => mailSuite(seed, { peersEvery }) },
  spf: { count: 20_000, start: spfSuite },
} as const satisfies Record<string, SuiteDescription>;

export type SuiteName = keyof typeof suites;

export function isSuiteName(name: string): name is SuiteName {
  return Object.hasOwn(suites, name);
}
