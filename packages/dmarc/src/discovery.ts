/**
 * Policy discovery (RFC 9989 §4.10.1): which record speaks for an author domain.
 */
import { after } from '@zegel/dns';
import type { DnsFailure } from '@zegel/dns';
import { readMailDomain } from './domain.ts';
import { selectOrganizationalDomain } from './organizational-domain.ts';
import { PolicyLookups, publicSuffixFlag } from './policy-lookup.ts';
import type { LookupOptions, PolicyLookup } from './policy-lookup.ts';
import { walkTree } from './tree-walk.ts';
import { describeWalk } from './walk-step.ts';
import type { WalkStep } from './walk-step.ts';

/** The one record at a name, as {@link PolicyLookup} gives it. */
export type FoundPolicyRecord = Extract<PolicyLookup, { status: 'record' }>;

/**
 * Which record applies. `found` also names a record that cannot be used (`policy.parsed.kind` is `unusable`): there
 * discovery ends, and no record further up takes its place. `organizationalDomain` is absent where the author domain has
 * a record of its own and nothing further had to be asked.
 */
export type PolicyDiscovery =
  | { readonly status: 'found'; readonly policy: FoundPolicyRecord; readonly organizationalDomain?: string }
  | { readonly status: 'none'; readonly organizationalDomain: string }
  | { readonly status: 'temporary-failure'; readonly name: string; readonly reason: DnsFailure };

/** {@link PolicyDiscovery}, or why it could not begin, with every query that was made. */
export type DiscoveredPolicy =
  | { readonly status: 'invalid-domain' }
  | (PolicyDiscovery & { readonly walk: readonly WalkStep[] });

/**
 * Finds the policy record for an author domain: its own, else its organizational domain's, else its public suffix
 * domain's. One query when the domain has a record, at most eight otherwise. `authorDomain` may hold U-labels.
 */
export async function discoverPolicy(authorDomain: string, options: LookupOptions): Promise<DiscoveredPolicy> {
  const start = readMailDomain(authorDomain);
  if (start === undefined) return { status: 'invalid-domain' };
  const lookups = new PolicyLookups(options);
  const discovering = discover(start, lookups);
  const discovery = discovering instanceof Promise ? await discovering : discovering;
  return { ...discovery, walk: describeWalk(lookups.answers) };
}

/** {@link discoverPolicy} for a normalised domain, with the queries of an evaluation. */
export function discover(authorDomain: string, lookups: PolicyLookups): PolicyDiscovery | Promise<PolicyDiscovery> {
  return after(lookups.at(authorDomain), (own) => {
    if (own.status !== 'record') return discoverAbove(authorDomain, lookups);
    if (publicSuffixFlag(own) !== 'n') return { status: 'found', policy: own };
    return { status: 'found', policy: own, organizationalDomain: authorDomain };
  });
}

/** Of a domain without a record of its own. */
function discoverAbove(authorDomain: string, lookups: PolicyLookups): PolicyDiscovery | Promise<PolicyDiscovery> {
  // The walk from the parent that RFC 9989 describes asks at the same names as the one from the author domain itself,
  // which is the one that knows where a public suffix is one label above it.
  return after(walkTree(authorDomain, lookups), (walk) => {
    if (!walk.complete) return { status: 'temporary-failure', name: walk.failure.name, reason: walk.failure.reason };

    const organizationalDomain = selectOrganizationalDomain(authorDomain, walk.steps);
    const records = walk.steps.filter((step) => step.status === 'record');
    const policy =
      records.find((step) => step.domain === organizationalDomain) ??
      records.find((step) => publicSuffixFlag(step) === 'y');
    if (!policy) return { status: 'none', organizationalDomain };
    return { status: 'found', policy, organizationalDomain };
  });
}
