import type { Action, MacroList, Offer, Step } from './agreement.ts';
import { actionBits, featureBits, leaveOutBits, lowestVersion, protocolVersion, silentBits } from './agreement.ts';

/** What a filter wants of an MTA. Everything but `actions` is taken where it is offered and done without elsewhere. */
export interface FilterWishes {
  /** What the filter does to messages. An MTA that does not offer all of it is refused. */
  readonly actions: readonly Action[];
  /** What it does besides where that is offered; the agreement says whether it is. Default none. */
  readonly optionalActions?: readonly Action[];
  /** Steps the filter does not want to hear of. Their macros do not come either. Default none. */
  readonly leaveOut?: readonly Step[];
  /** Steps the filter always continues on, so that the MTA need not wait for a reply. Default none. */
  readonly silent?: readonly Step[];
  /** Hear of recipients the MTA has rejected already. Default false. */
  readonly rejectedRecipients?: boolean;
  /** The largest body chunks to take: 64, 256 or 1024 KiB. Default 64. */
  readonly bodyKiB?: 64 | 256 | 1024;
  /** The macros the filter wants, instead of the MTA's own lists. Default: the MTA's lists. */
  readonly macros?: readonly MacroList[];
}

/** The filter's side of a negotiation: what to answer, or why the MTA cannot be served. */
export type Negotiation =
  | { readonly ok: true; readonly answer: Offer & { readonly macros: readonly MacroList[] } }
  | { readonly ok: false; readonly code: 'negotiation.version' | 'negotiation.actions'; readonly explanation: string };

/**
 * Answers an offer: never a higher version, never a bit that was not offered. The leading space and `skip` are asked for
 * whenever they are offered.
 */
export function negotiate(offer: Offer, wishes: FilterWishes): Negotiation {
  if (offer.version < lowestVersion) {
    const explanation = `the MTA speaks version ${offer.version}, and ${lowestVersion} is the lowest understood`;
    return { ok: false, code: 'negotiation.version', explanation };
  }
  const missing = wishes.actions.filter((action) => (offer.actions & actionBits[action]) === 0);
  if (missing.length > 0) {
    return { ok: false, code: 'negotiation.actions', explanation: `the MTA does not offer ${missing.join(', ')}` };
  }
  const setsMacros = wishes.macros !== undefined && (offer.actions & actionBits['set-macros']) !== 0;
  const actions = [...wishes.actions, ...(wishes.optionalActions ?? [])].map((action) => actionBits[action]);
  const answer = {
    version: Math.min(offer.version, protocolVersion),
    actions: union([...actions, setsMacros ? actionBits['set-macros'] : 0]) & offer.actions,
    protocol: union([...protocolWishes(wishes), largestBody(offer, wishes.bodyKiB ?? 64)]) & offer.protocol,
    macros: setsMacros ? wishes.macros : [],
  };
  return { ok: true, answer };
}

/** Whether an answer stays within the offer, as an MTA demands. */
export function isWithinOffer(answer: Offer, offer: Offer): boolean {
  return (
    answer.version <= offer.version &&
    answer.version >= lowestVersion &&
    (answer.actions & ~offer.actions) === 0 &&
    (answer.protocol & ~offer.protocol) === 0
  );
}

function protocolWishes(wishes: FilterWishes): readonly number[] {
  return [
    featureBits.leadingSpace,
    featureBits.skip,
    wishes.rejectedRecipients === true ? featureBits.rejectedRecipients : 0,
    ...(wishes.leaveOut ?? []).map((step) => leaveOutBits[step]),
    ...(wishes.silent ?? []).map((step) => silentBits[step]),
  ];
}

/** The bit of the largest chunk that is both offered and wanted. */
function largestBody(offer: Offer, bodyKiB: 64 | 256 | 1024): number {
  if (bodyKiB === 1024 && (offer.protocol & featureBits.body1M) !== 0) return featureBits.body1M;
  return bodyKiB > 64 ? featureBits.body256K : 0;
}

function union(bits: readonly number[]): number {
  return bits.reduce((all, bit) => all | bit, 0);
}
