import type { DnsFailure } from '@zegel/dns';
import { lastLabels, readMailDomain } from './domain.ts';
import { PolicyLookups, publicSuffixFlag } from './policy-lookup.ts';
import type { LookupOptions, PolicyLookup } from './policy-lookup.ts';
import { walkTree } from './tree-walk.ts';
import { describeWalk } from './walk-step.ts';
import type { WalkStep } from './walk-step.ts';

/**
 * The organizational domain that the records of a walk give (RFC 9989 §4.10.2). `steps` run from the longest name to
 * the shortest, as walked from `start`.
 */
export function selectOrganizationalDomain(start: string, steps: readonly PolicyLookup[]): string {
  let shortest = start;
  for (const step of steps) {
    const flag = publicSuffixFlag(step);
    if (flag === undefined) continue;
    if (flag === 'n') return step.domain;
    // Mail from a public suffix's own name belongs to the suffix itself: there is no label below the start.
    if (flag === 'y' && step.domain !== start) return lastLabels(start, step.domain.split('.').length + 1);
    shortest = step.domain;
  }
  return shortest;
}

/** What {@link findOrganizationalDomain} found, with every query it made. */
export type OrganizationalDomain =
  | { readonly status: 'found'; readonly domain: string; readonly walk: readonly WalkStep[] }
  | { readonly status: 'invalid-domain' }
  | {
      readonly status: 'temporary-failure';
      readonly name: string;
      readonly reason: DnsFailure;
      readonly walk: readonly WalkStep[];
    };

/**
 * Finds the organizational domain of any domain by a tree walk of at most eight queries (RFC 9989 §4.10.2). A domain
 * without a record anywhere above it is its own. `domain` may hold U-labels.
 */
export async function findOrganizationalDomain(domain: string, options: LookupOptions): Promise<OrganizationalDomain> {
  const start = readMailDomain(domain);
  if (start === undefined) return { status: 'invalid-domain' };
  const lookups = new PolicyLookups(options);
  const walk = await walkTree(start, lookups);
  if (!walk.complete) {
    const { name, reason } = walk.failure;
    return { status: 'temporary-failure', name, reason, walk: describeWalk(lookups.answers) };
  }
  return { status: 'found', domain: selectOrganizationalDomain(start, walk.steps), walk: describeWalk(walk.steps) };
}
