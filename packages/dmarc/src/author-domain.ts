import { describeOutcome } from './codes.ts';
import type { DmarcOutcome } from './codes.ts';
import { readMailDomain } from './domain.ts';

/** Domains named in an explanation; a From field may hold thousands. */
const shownDomains = 5;

/** The one domain a message speaks for, or why there is none (RFC 9989 §5.3.1, §11.5). */
export type AuthorDomain =
  | { readonly status: 'found'; readonly domain: string }
  | { readonly status: 'missing'; readonly outcome: DmarcOutcome };

/** Several addresses of one domain are one author domain. */
export function selectAuthorDomain(given: readonly string[]): AuthorDomain {
  const only = given.length === 1 ? readMailDomain(given[0] ?? '') : undefined;
  if (only !== undefined) return { status: 'found', domain: only };
  const distinct = new Set(given.map((domain) => readMailDomain(domain) ?? domain.toLowerCase()));
  const [first] = distinct;
  if (first === undefined || (distinct.size === 1 && first === '')) {
    return { status: 'missing', outcome: describeOutcome('dmarc.no-author-domain', {}) };
  }
  if (distinct.size > 1) {
    const shown = [...distinct].slice(0, shownDomains).join(', ');
    const authorDomains = distinct.size > shownDomains ? `${shown}, …` : shown;
    return { status: 'missing', outcome: describeOutcome('dmarc.several-author-domains', { authorDomains }) };
  }
  const domain = readMailDomain(first);
  if (domain === undefined) {
    return { status: 'missing', outcome: describeOutcome('dmarc.invalid-author-domain', { authorDomain: first }) };
  }
  return { status: 'found', domain };
}
