import type { MethodResult } from '@zegel/auth-results';
import { normalizeDomain } from '@zegel/message';
import type { ArcSet } from './chain.ts';

/**
 * What an operator's list of trusted sealers makes of a passing chain. Advice only: nothing here changes a DMARC result.
 * A receiver that follows it calls the message's disposition a local override (RFC 9989 §5.4, RFC 8617 §7.2.1).
 */
export interface ArcTrust {
  /** The oldest instance from which on every sealer is on the list; 0 when the newest is not. */
  readonly from: number;
  /** Whether every sealer of the chain is on the list. */
  readonly complete: boolean;
  /** The DMARC verdict of the oldest trusted set that has exactly one; absent when there is none. */
  readonly dmarc?: TrustedDmarc;
}

/** What a trusted sealer says DMARC was when the message came to it. */
export interface TrustedDmarc {
  readonly instance: number;
  readonly sealer: string;
  readonly authservId: string;
  /** The word behind `dmarc=`. */
  readonly result: string;
  /** header.from, as an A-label name. It is an override only for the author domain the message has now. */
  readonly headerFrom?: string;
}

/**
 * Weighs a chain that passes. A later sealer can replace the whole message and keep the sets below its own, so the word
 * of a set counts only if its sealer and all after it are trusted. Names on the list are compared whole: trust in
 * example.com is no trust in what is below it.
 */
export function weighTrust(sets: readonly TrustedSet[], trustedSealers: readonly string[]): ArcTrust {
  const trusted = new Set(trustedSealers.map((name) => normalizeDomain(name)));
  let from = 0;
  for (const { instance, sealer } of sets.toReversed()) {
    if (!trusted.has(sealer)) break;
    from = instance;
  }
  const dmarc = from === 0 ? undefined : sets.slice(from - 1).flatMap(dmarcOf)[0];
  return { from, complete: from === 1, ...(dmarc === undefined ? {} : { dmarc }) };
}

/** A set, oldest first, and the domain that sealed it. */
export type TrustedSet = Pick<ArcSet, 'instance' | 'results'> & { readonly sealer: string };

function dmarcOf({ instance, sealer, results: { strict } }: TrustedSet): readonly TrustedDmarc[] {
  const verdicts = strict?.results.filter(({ method }) => method === 'dmarc') ?? [];
  const [verdict] = verdicts;
  if (strict === undefined || verdict === undefined || verdicts.length > 1) return [];
  const headerFrom = headerFromOf(verdict);
  return [
    {
      instance,
      sealer,
      authservId: strict.authservId,
      result: verdict.result,
      ...(headerFrom === null ? {} : { headerFrom }),
    },
  ];
}

function headerFromOf({ properties }: MethodResult): string | null {
  const property = properties.find(({ ptype, property }) => ptype === 'header' && property === 'from');
  return property === undefined ? null : normalizeDomain(property.value.slice(property.value.lastIndexOf('@') + 1));
}
