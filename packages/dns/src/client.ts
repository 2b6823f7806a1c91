export { CachingResolver } from './client/caching-resolver.ts';
export type { CachingResolverOptions, ResolverStatistics } from './client/caching-resolver.ts';
export { DnsConfigurationError } from './client/errors.ts';
export { parseNameServer, parseResolvConf } from './client/name-server.ts';
export type { NameServer } from './client/name-server.ts';
export type { Random } from './client/query.ts';
