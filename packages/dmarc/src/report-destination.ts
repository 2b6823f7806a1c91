/**
 * Whether reports may go where a record asks for them (RFC 9990 §4, RFC 9991 §5): a destination outside the
 * organization must agree, or anybody could have a stranger flooded.
 */
import type { DnsFailure } from '@zegel/dns';
import { shareOrganizations } from './alignment.ts';
import { readMailDomain } from './domain.ts';
import { dmarcLimits } from './limits.ts';
import { parseDmarcRecord } from './parse.ts';
import { PolicyLookups, recordText } from './policy-lookup.ts';
import type { LookupOptions } from './policy-lookup.ts';

/**
 * `internal` one organization, nothing to ask; `authorized` the destination agrees, and wants the reports at `uris`;
 * `refused` it has no record at `name`, or one that would send the reports on to another host; `invalid` the policy domain or
 * the URI's host is no domain.
 */
export type ReportDestination =
  | { readonly status: 'internal' | 'authorized'; readonly uris: readonly string[] }
  | { readonly status: 'refused'; readonly name: string; readonly cause: 'no-record' | 'other-host' }
  | { readonly status: 'temporary-failure'; readonly name: string; readonly reason: DnsFailure }
  | { readonly status: 'invalid' };

/** The host of a URI: behind the address of `mailto:`, or in the authority of another scheme. */
const mailtoHost = /^mailto:[^?@]*@([^?@]+)/i;
const authorityHost = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:@]+)/i;

/**
 * Asks whether the host of a reporting URI takes reports for a policy domain: at most three look-up chains, of eight,
 * eight and one queries. `tag` says for which reports; an answer may name other URIs for them at the same host.
 */
export async function verifyReportDestination(
  options: LookupOptions & {
    /** The domain at which the policy record stands. */
    readonly policyDomain: string;
    /** One entry of that record's `rua` or `ruf`. */
    readonly uri: string;
    readonly tag?: 'rua' | 'ruf';
  },
): Promise<ReportDestination> {
  const { uri, tag = 'rua', resolver, signal } = options;
  const limits = { ...dmarcLimits, ...options.limits };
  const policyDomain = readMailDomain(options.policyDomain);
  const host = readHost(uri);
  if (policyDomain === undefined || host === undefined) return { status: 'invalid' };
  if (policyDomain === host) return { status: 'internal', uris: [uri] };

  const organizations = shareOrganizations(new PolicyLookups(options), limits.walks);
  const own = await organizations.of(policyDomain);
  const other = await organizations.of(host);
  for (const organization of [own, other]) {
    if (organization.status === 'temporary-failure') {
      const { name, reason } = organization.failure;
      return { status: 'temporary-failure', name, reason };
    }
  }
  if (own.status === 'found' && other.status === 'found' && own.domain === other.domain) {
    return { status: 'internal', uris: [uri] };
  }

  const name = `${policyDomain}._report._dmarc.${host}`;
  const answer = await resolver.resolve(name, 'TXT', signal ? { signal } : {});
  if (answer.status === 'temporary-failure') return { status: answer.status, name, reason: answer.reason };
  const texts = answer.status === 'found' ? answer.records : [];
  const records = texts
    .map((bytes) => parseDmarcRecord(recordText(bytes), limits))
    .filter((parsed) => parsed.kind !== 'other');
  if (records.length === 0) return { status: 'refused', name, cause: 'no-record' };

  const replacements = records.flatMap((parsed) => (parsed.kind === 'usable' ? parsed.record[tag] : []));
  if (replacements.length === 0) return { status: 'authorized', uris: [uri] };
  if (replacements.some((replacement) => readHost(replacement) !== host)) {
    return { status: 'refused', name, cause: 'other-host' };
  }
  return { status: 'authorized', uris: replacements };
}

function readHost(uri: string): string | undefined {
  const host = (mailtoHost.exec(uri) ?? authorityHost.exec(uri))?.[1];
  return host === undefined ? undefined : readMailDomain(host);
}
