/**
 * Identifier alignment (RFC 9989 §4.4, §4.10.2): whether an authenticated domain may speak for the author domain.
 */
import { isSubdomainOf, splitLabels } from '@zegel/dns';
import { sharedLabels } from './domain.ts';
import { selectOrganizationalDomain } from './organizational-domain.ts';
import type { PolicyLookups } from './policy-lookup.ts';
import type { AlignmentMode } from './record.ts';
import { walkTree } from './tree-walk.ts';
import type { FailedLookup } from './tree-walk.ts';

/** What the names alone say; `undecided` is for the organizational domains to settle. */
export function compareDomains(
  authorDomain: string,
  identifier: string | undefined,
  mode: AlignmentMode,
): 'aligned' | 'not-aligned' | 'undecided' {
  if (identifier === authorDomain) return 'aligned';
  if (identifier === undefined || mode === 'strict') return 'not-aligned';
  // An organizational domain is the domain or lies above it, so domains that have one in common share its labels.
  return sharedLabels(authorDomain, identifier) === 0 ? 'not-aligned' : 'undecided';
}

/** The organizational domain of a domain, or why it is not known. */
export type Organization =
  | { readonly status: 'found'; readonly domain: string }
  | {
      readonly status: 'temporary-failure';
      readonly failure: FailedLookup;
      /** What it is if there is no record at the failed name, nor above it. */
      readonly otherwise: string;
    }
  | { readonly status: 'limit' };

/** The organizational domains of one evaluation: each domain is walked from once, and not more domains than the limit. */
export interface Organizations {
  of(domain: string): Promise<Organization>;
  /** What is known by now of a domain's organizational domain. */
  known(domain: string): string | undefined;
}

export function shareOrganizations(lookups: PolicyLookups, maximum: number): Organizations {
  const organizations = new Map<string, Organization>();
  return {
    async of(domain) {
      const earlier = organizations.get(domain);
      if (earlier) return earlier;
      if (organizations.size >= maximum) return { status: 'limit' };
      const found = await findOrganization(domain, lookups);
      organizations.set(domain, found);
      return found;
    },
    known(domain) {
      const organization = organizations.get(domain);
      return organization?.status === 'found' ? organization.domain : undefined;
    },
  };
}

async function findOrganization(domain: string, lookups: PolicyLookups): Promise<Organization> {
  const walk = await walkTree(domain, lookups);
  const selected = selectOrganizationalDomain(domain, walk.steps);
  if (!walk.complete) return { status: 'temporary-failure', failure: walk.failure, otherwise: selected };
  return { status: 'found', domain: selected };
}

/** Whether two domains have one organizational domain, or which answer is missing. */
export type RelaxedAlignment =
  | { readonly status: 'aligned' | 'not-aligned' | 'limit' }
  | { readonly status: 'temporary-failure'; readonly failure: FailedLookup };

/** Relaxed alignment of an identifier for which {@link compareDomains} was undecided. */
export async function alignRelaxed(
  authorDomain: string,
  identifier: string,
  organizations: Organizations,
): Promise<RelaxedAlignment> {
  const author = await organizations.of(authorDomain);
  if (author.status === 'limit') return author;
  if (author.status === 'temporary-failure') {
    return alignDespiteFailure(authorDomain, identifier, author, organizations);
  }
  // As above: no walk for what is not below the author's organization, which is where most foreign signatures are.
  if (!isSubdomainOf(identifier, author.domain)) return { status: 'not-aligned' };
  const other = await organizations.of(identifier);
  if (other.status !== 'found') return other;
  return { status: other.domain === author.domain ? 'aligned' : 'not-aligned' };
}

/**
 * A failed look-up does not matter when the records below it give both domains one organization: from that name on both
 * walks are the same, so whatever stands at the failed name or further up gives both one organization too. They can
 * only agree on a name they share, which has more labels than the one that failed.
 */
async function alignDespiteFailure(
  authorDomain: string,
  identifier: string,
  author: Extract<Organization, { status: 'temporary-failure' }>,
  organizations: Organizations,
): Promise<RelaxedAlignment> {
  const failedLabels = splitLabels(author.failure.domain).length;
  if (failedLabels >= sharedLabels(authorDomain, identifier)) return author;
  const other = await organizations.of(identifier);
  const agree = other.status === 'temporary-failure' && other.otherwise === author.otherwise;
  return agree ? { status: 'aligned' } : author;
}
