import type { SigningKey } from '@zegel/dkim';
import type { KeySource } from '@zegel/signing';

/** A key source over keys in memory, such as those of key files: all of them are active, in the order given. */
export function createKeySet(keys: readonly SigningKey[]): KeySource {
  const byDomain = Map.groupBy(keys, (key) => key.domain);
  return { activeKeys: async (domain) => byDomain.get(domain) ?? null };
}
