/** Limits on what the configuration names. */
export const groundLimits = {
  /** Bytes of a private key file. */
  maxKeyFileBytes: 64 * 1024,
  /** Bytes of a file that holds a bearer token. */
  maxTokenFileBytes: 8 * 1024,
  /** Bytes of an answer about one login. */
  maxLoginAnswerBytes: 64 * 1024,
  /** Authors in an answer about one login. */
  maxLoginAuthors: 1_000,
  /** Logins whose answers are held in memory. */
  maxCachedLogins: 10_000,
  /** Characters of a login that is asked for: RFC 4954 and SASL set no bound, and an address has 320. */
  maxLoginLength: 512,
} as const;
