/** DMARC (RFC 9989): the policy of an author domain, found by tree walk, and whether a message meets it. */
export { dmarcCodes } from './codes.ts';
export type { DmarcCode, DmarcWord } from './codes.ts';
export { discoverPolicy } from './discovery.ts';
export type { DiscoveredPolicy, FoundPolicyRecord, PolicyDiscovery } from './discovery.ts';
export { DmarcRecordError } from './errors.ts';
export { evaluateDmarc } from './evaluate.ts';
export type { DmarcOptions } from './evaluate.ts';
export { formatDmarcRecord } from './format.ts';
export type { DmarcRecordContent } from './format.ts';
export type { DkimIdentifier, SpfIdentifier } from './identifiers.ts';
export { dmarcLimits } from './limits.ts';
export type { DmarcLimits } from './limits.ts';
export { findOrganizationalDomain } from './organizational-domain.ts';
export type { OrganizationalDomain } from './organizational-domain.ts';
export { parseDmarcRecord } from './parse.ts';
export type { ParsedDmarcRecord } from './parse.ts';
export type { DmarcPolicy } from './policy.ts';
export type { LookupOptions } from './policy-lookup.ts';
export type { AlignmentMode, DmarcRecord, FailureOption, Policy, PublicSuffixFlag, RecordFault } from './record.ts';
export { verifyReportDestination } from './report-destination.ts';
export type { ReportDestination } from './report-destination.ts';
export type {
  DkimAlignment,
  DkimWord,
  DmarcEvidence,
  DmarcLimitCode,
  DmarcResult,
  IdentifierAlignment,
  SpfWord,
} from './result.ts';
export type { WalkStep } from './walk-step.ts';
