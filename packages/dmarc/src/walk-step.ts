import type { DnsFailure } from '@zegel/dns';
import type { PolicyLookup } from './policy-lookup.ts';

/**
 * One look-up of a policy record, as evidence. `status`: `record` one DMARC record; `several-records` more than one, all
 * discarded; `other-records` text records that are no DMARC records; `nodata`, `nxdomain`, `temporary-failure` as the DNS said.
 */
export interface WalkStep {
  /** The name that was asked, `_dmarc` included. */
  readonly name: string;
  readonly status: PolicyLookup['status'];
  /** The record, one character per octet. */
  readonly record?: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly reason?: DnsFailure;
}

export function describeWalk(lookups: readonly PolicyLookup[]): readonly WalkStep[] {
  return lookups.map((lookup) => {
    const { name, status } = lookup;
    if (lookup.status === 'temporary-failure') return { name, status, reason: lookup.reason };
    if (lookup.status === 'record') return { name, status, record: lookup.record, ttl: lookup.ttl };
    return { name, status, ttl: lookup.ttl };
  });
}
