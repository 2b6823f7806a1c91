import { normalizeDomain } from '@zegel/message';
import { withParents } from '@zegel/signing';
import type { DomainSigning, SigningTable } from '@zegel/signing';

/** How the mail of some authors is signed. Domains may be U-labels. */
export interface SigningRule {
  /** The author domain: exact (`example.org`), every name below one (`*.example.org`), or every domain (`*`). */
  readonly author: string;
  /** The signing domain. Default: the author domain of the rule; for `*` the author's own or one above it. */
  readonly domain?: string;
  /** The selectors that sign, in this order. Default: every active key of the signing domain. */
  readonly selectors?: readonly string[];
  /** Whether an exact rule also covers what lies below its domain, where nothing closer does. Default: true. */
  readonly subdomains?: boolean;
  /** i=: an address or `@domain` at the signing domain or below it, or `author-domain` for `@` and the author domain. */
  readonly identity?: string;
  /** Seconds until x=. */
  readonly validity?: number;
  /** Domains that sign besides, such as that of a mail service. Default: those of the policy. */
  readonly additional?: readonly AdditionalSigning[];
}

/** A domain that signs besides the author's, never instead of it. */
export interface AdditionalSigning {
  readonly domain: string;
  readonly selectors?: readonly string[];
}

export interface SigningTablePolicy {
  /**
   * The plan names its rule by its author pattern. Where several fit, the closest to the author counts: exact, then
   * name by name upwards (the wildcard before the exact rule), then `*`.
   */
  readonly rules: readonly SigningRule[];
  /** Signs for authors whose domain is not known here. Such a signature says nothing about the author. */
  readonly defaultDomain?: string;
  /** The default domain signs also where the author domain is known and has no active key. */
  readonly defaultAfterMissingKey?: boolean;
  readonly additional?: readonly AdditionalSigning[];
}

/**
 * Compiles the rules. Where no rule fits, the author domain signs, or the nearest above it that is known.
 *
 * @throws {SigningTableError} for a domain that is none, and for two rules with one author pattern
 */
export function createSigningTable(policy: SigningTablePolicy): SigningTable {
  const exact = new Map<string, SigningRule>();
  const below = new Map<string, SigningRule>();
  let any: SigningRule | undefined;
  for (const rule of policy.rules) {
    const pattern = parseAuthorPattern(rule.author);
    if (pattern === null) throw new SigningTableError(`${rule.author} is no author domain`);
    const taken = pattern.kind === 'any' ? any !== undefined : tableOf(pattern.kind).has(pattern.domain);
    if (taken) throw new SigningTableError(`two rules are for ${rule.author}`);
    if (pattern.kind === 'any') any = rule;
    else tableOf(pattern.kind).set(pattern.domain, rule);
  }
  function tableOf(kind: 'exact' | 'below'): Map<string, SigningRule> {
    return kind === 'exact' ? exact : below;
  }

  const { defaultDomain, defaultAfterMissingKey = false } = policy;
  const fallback =
    defaultDomain === undefined
      ? {}
      : { fallback: { domain: named(defaultDomain), afterMissingKey: defaultAfterMissingKey } };

  return {
    planFor(authorDomain) {
      const names = withParents(authorDomain);
      const candidates: DomainSigning[] = [];
      let deciding: SigningRule | undefined;
      let isBarred = false;
      for (const [level, name] of names.entries()) {
        const wildcard = level === 0 ? undefined : below.get(name);
        const own = exact.get(name);
        const covers = level === 0 || own?.subdomains !== false;
        const rule = wildcard ?? (covers ? own : undefined);
        if (rule === undefined) {
          // Without a rule no domain further up signs then; one with a rule still may.
          isBarred ||= !covers;
          if (!isBarred) candidates.push({ domain: name });
          continue;
        }
        // A closest rule that names the signing domain stands alone; without one the keys closest to the author sign.
        if (rule.domain !== undefined && deciding === undefined) candidates.length = 0;
        deciding ??= rule;
        candidates.push(signingOf(rule, name, authorDomain));
        if (rule.domain !== undefined) break;
      }
      if (deciding === undefined && any !== undefined) {
        deciding = any;
        const rule = any;
        const all = candidates.map(({ domain }) => signingOf(rule, domain, authorDomain));
        candidates.splice(0, candidates.length, ...(rule.domain === undefined ? all : all.slice(0, 1)));
      }
      const additional = deciding?.additional ?? policy.additional ?? [];
      return {
        candidates,
        ...(additional.length === 0 ? {} : { additional: additional.map(additionalSigning) }),
        ...fallback,
        ...(deciding === undefined ? {} : { rule: deciding.author }),
      };
    },
  };
}

/** An author pattern of a rule, its domain in the form in which domains are compared; null when it is none. */
export function parseAuthorPattern(
  text: string,
): { readonly kind: 'any' } | { readonly kind: 'exact' | 'below'; readonly domain: string } | null {
  if (text === '*') return { kind: 'any' };
  const isWildcard = text.startsWith('*.');
  const domain = normalizeDomain(isWildcard ? text.slice(2) : text);
  return domain === null ? null : { kind: isWildcard ? 'below' : 'exact', domain };
}

/** Rules that cannot stand: a mistake in the configuration. */
export class SigningTableError extends Error {
  override readonly name = 'SigningTableError';
  readonly code = 'mail-policy.signing-table-invalid';
}

function signingOf(rule: SigningRule, name: string, authorDomain: string): DomainSigning {
  const { domain, selectors, identity, validity } = rule;
  return {
    domain: domain === undefined ? name : named(domain),
    ...(selectors === undefined ? {} : { selectors }),
    ...(identity === undefined ? {} : { identity: identity === 'author-domain' ? `@${authorDomain}` : identity }),
    ...(validity === undefined ? {} : { validity }),
  };
}

function additionalSigning({ domain, selectors }: AdditionalSigning): DomainSigning {
  return { domain: named(domain), ...(selectors === undefined ? {} : { selectors }) };
}

function named(domain: string): string {
  const normalized = normalizeDomain(domain);
  if (normalized === null) throw new SigningTableError(`${domain} is no domain name`);
  return normalized;
}
