/** BIMI: the indicator of an authenticated domain, and the mark certificate that vouches for it. */
export { createBimiCheck } from './check.ts';
export type { BimiCheck, BimiDmarc, BimiInput, BimiOptions, OrganizationalDomainFinder } from './check.ts';
export { bimiCodes } from './codes.ts';
export type { BimiCode, BimiWord } from './codes.ts';
export { createDocumentFetcher } from './fetch-document.ts';
export type {
  DocumentFetcher,
  DocumentRequest,
  FetchedDocument,
  FetcherOptions,
  FetchNetwork,
} from './fetch-document.ts';
export type { FetchFailure } from './fetch-failure.ts';
export { bimiLimits } from './limits.ts';
export type { BimiLimits } from './limits.ts';
export { NodeDnsError, toNodeResolver } from './node-resolver.ts';
export type { NodeDnsErrorCode, NodeMxRecord, NodeResolver } from './node-resolver.ts';
export { isPublicAddress } from './public-address.ts';
export { findBimiFields } from './selector.ts';
export type { BimiEvidence, BimiVerdict, MarkCertificate } from './verdict.ts';
