export type { DnsAnswer, DnsFailure, RecordData, RecordType, ResolveOptions, Resolver } from './resolver.ts';
export { after, all, lookUp } from './resolver.ts';
export { canonicalIpv6, isIpv4 } from './address.ts';
export { ZoneError } from './errors.ts';
export type { ZoneErrorCode } from './errors.ts';
export { KeptByText } from './kept-by-text.ts';
export { keptWith } from './kept-with.ts';
export { isSubdomainOf, normalizeName, parentName, splitLabels } from './name.ts';
export { OverlayResolver } from './overlay-resolver.ts';
export type { LocalResolver } from './overlay-resolver.ts';
export { RecordCache } from './record-cache.ts';
export { SharedLookups } from './shared-lookups.ts';
export type { SharedLookupsOptions } from './shared-lookups.ts';
export { parseZone } from './zone.ts';
export type {
  ParseZoneOptions,
  Zone,
  ZoneDeclaration,
  ZoneEntry,
  ZoneListEntry,
  ZoneNode,
  ZoneRecordData,
  ZoneRecords,
  ZoneText,
} from './zone.ts';
export { ZoneResolver } from './zone-resolver.ts';
export type { ZoneResolverOptions } from './zone-resolver.ts';
