import type { SigningKey } from '@zegel/dkim';
import { parentName } from '@zegel/dns';

/** One domain that signs: which of its keys, and the tags its signatures carry. */
export interface DomainSigning {
  /** The signing domain (d=), an A-label name in lower case. */
  readonly domain: string;
  /** The selectors that sign, in this order, as far as they are active. Default: every active key of the domain. */
  readonly selectors?: readonly string[];
  /** i=, at the signing domain or below it. Default: as the options of the run say. */
  readonly identity?: string;
  /** Seconds until x=. Default: as the options of the run say. */
  readonly validity?: number;
}

/** Which domains sign the mail of one author domain. */
export interface SigningPlan {
  /** Name of the rule that made the plan, for evidence and logs. */
  readonly rule?: string;
  /** Looked for in this order: the first that is known signs. */
  readonly candidates: readonly DomainSigning[];
  /** Sign besides, never instead. Where one of them has no key, the message is refused. */
  readonly additional?: readonly DomainSigning[];
  /** Signs when no candidate is known; with `afterMissingKey` also when the one that is known has no active key. */
  readonly fallback?: DomainSigning & { readonly afterMissingKey: boolean };
}

/**
 * Rules for which domains sign for which author. It decides nothing about who may: that is the submitter's. A domain that is
 * neither the author's nor above it is signed for when a plan names it, and the result says so.
 */
export interface SigningTable {
  /** The plan for an author domain (an A-label name in lower case). */
  planFor(authorDomain: string): SigningPlan;
}

/** Labels above the author domain that are tried for keys. */
const maxParents = 8;

/** The rule where there are no others: the author domain, or the nearest above it that is known. */
export const authorOrAbove: SigningTable = {
  planFor: (authorDomain) => ({ candidates: withParents(authorDomain).map((domain) => ({ domain })) }),
};

/** A domain and those above it, down to two labels: a top-level domain signs for nobody. */
export function withParents(domain: string): readonly string[] {
  const domains = [domain];
  for (let parent = parentName(domain); parent?.includes('.') === true; parent = parentName(parent)) {
    if (domains.length > maxParents) break;
    domains.push(parent);
  }
  return domains;
}

/** The keys of a domain that sign, in the order asked for. */
export function selectKeys(keys: readonly SigningKey[], { selectors }: DomainSigning): readonly SigningKey[] {
  if (selectors === undefined) return keys;
  return selectors.flatMap((selector) => keys.filter((key) => key.selector === selector));
}
