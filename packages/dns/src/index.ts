export type { DnsAnswer, DnsFailure, RecordData, RecordType, ResolveOptions, Resolver } from './resolver.ts';
