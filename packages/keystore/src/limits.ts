/** Limits of the keystore. */
export const keystoreLimits = {
  /** Keys of one domain that are not deleted. */
  maxKeysPerDomain: 100,
  /** Characters of a PEM text that is imported. */
  maxPemLength: 16 * 1024,
  /**
   * Bits an RSA key is generated with: the least and the most. 1024 to 2047 can be imported, RFC 8301 §3.2 advises
   * against it.
   */
  minGeneratedRsaBits: 2048,
  maxGeneratedRsaBits: 4096,
  /** Octets of the name a key record is published at (RFC 1035 §2.3.4, without the final dot). */
  maxRecordNameLength: 253,
  /** Characters of a token's name. */
  maxTokenNameLength: 200,
  /** Domains one token may list. */
  maxTokenDomains: 1_000,
  /** The last year in UTC in which a token may expire: RFC 3339 has no later one. */
  maxExpiryYear: 9999,
  /** Items on a page when nothing is asked for, and at most. */
  defaultPageSize: 100,
  maxPageSize: 1_000,
  /** Domains whose active keys are held in memory. */
  maxCachedDomains: 1_000,
  /** Tokens whose verification is held in memory. */
  maxCachedTokens: 1_000,
  /** Logins whose authors are held in memory. */
  maxCachedLogins: 10_000,
  /** Characters of a login, and of an author that it may sign as. */
  maxLoginLength: 512,
  /** Authors one login may sign as. */
  maxLoginAuthors: 1_000,
  /** Milliseconds after which a change made by another process is seen here at the latest. */
  cacheTtlMs: 10_000,
  /** Milliseconds between two notes of a token's last use. */
  lastUsedIntervalMs: 60_000,
  /** Records rewrapped with one query. */
  rewrapBatch: 500,
} as const;
