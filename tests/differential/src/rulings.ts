/** The one table of everything that is settled. */
import { dkimRulings, peerRulings } from './mail/dkim-rulings.ts';
import { dmarcRulings } from './mail/dmarc-rulings.ts';
import type { Ruling } from './ruling.ts';
import { spfRulings } from './spf/rulings.ts';

/** A ruling without its condition. */
export type SettledDisagreement = Pick<Ruling<never>, 'id' | 'peer' | 'what' | 'standard'>;

export const settledDisagreements: readonly SettledDisagreement[] = [
  ...dkimRulings,
  ...peerRulings,
  ...dmarcRulings,
  ...spfRulings,
];

/** Of which suite's comparisons a ruling speaks. */
export function suiteOf({ id }: SettledDisagreement): 'mail' | 'spf' {
  return spfRulings.some((ruling) => ruling.id === id) ? 'spf' : 'mail';
}
