import type { SigningKey } from '@zegel/dkim';

/** Where the signing verb finds keys. */
export interface KeySource {
  /**
   * The active keys of exactly this domain (an A-label name in lower case), in the order their signatures shall stand.
   * `null` when the domain is not known; an empty list when it is known and has no active key.
   * Rejects when the store behind it cannot be reached.
   */
  activeKeys(domain: string): Promise<readonly SigningKey[] | null>;
}
