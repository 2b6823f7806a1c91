/**
 * The DNS tree walk (RFC 9989 §4.10): from a domain towards the root, looking for policy records.
 */
import { after } from '@zegel/dns';
import { lastLabels } from './domain.ts';
import { treeWalkQueries } from './limits.ts';
import type { PolicyLookup, PolicyLookups } from './policy-lookup.ts';
import { publicSuffixFlag } from './policy-lookup.ts';

/** A walk that went as far as it had to, or up to the answer that was missing. */
export type TreeWalk =
  | { readonly complete: true; readonly steps: readonly PolicyLookup[] }
  | { readonly complete: false; readonly steps: readonly PolicyLookup[]; readonly failure: FailedLookup };

export type FailedLookup = Extract<PolicyLookup, { status: 'temporary-failure' }>;

/**
 * The domains a walk asks at, in order: the start, then one label less each time down to the top level. A start of
 * more than eight labels goes to its last seven at once, so that no name costs more than eight queries.
 */
export function walkDomains(start: string): string[] {
  const count = start.split('.').length;
  const domains = [start];
  for (let labels = Math.min(count, treeWalkQueries) - 1; labels > 0; labels -= 1) {
    domains.push(lastLabels(start, labels));
  }
  return domains;
}

/**
 * Walks from a domain until a record says `psd=y` or `psd=n`, or nothing is left. One missing answer ends the walk:
 * the record that would decide may stand right there (RFC 9989 §5.3.6).
 */
export function walkTree(start: string, lookups: PolicyLookups): TreeWalk | Promise<TreeWalk> {
  return walkOn(walkDomains(start), lookups, []);
}

/** The rest of a walk, behind the steps that were made. */
function walkOn(
  domains: readonly string[],
  lookups: PolicyLookups,
  steps: readonly PolicyLookup[],
): TreeWalk | Promise<TreeWalk> {
  const domain = domains[steps.length];
  if (domain === undefined) return { complete: true, steps };
  return after(lookups.at(domain), (step) => {
    if (step.status === 'temporary-failure') return { complete: false, steps, failure: step };
    const flag = publicSuffixFlag(step);
    const made = [...steps, step];
    return flag === 'y' || flag === 'n' ? { complete: true, steps: made } : walkOn(domains, lookups, made);
  });
}
