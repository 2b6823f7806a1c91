import type { Database } from '@zegel/database';
import type { SigningKey } from '@zegel/dkim';
import type { KeySource } from '@zegel/signing';
import { ensureAdminToken } from './admin-token.ts';
import type { AdminTokenSource } from './admin-token.ts';
import { createDomains } from './domains.ts';
import type { Domains } from './domains.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { createKeys, loadActiveKeys } from './keys.ts';
import type { Keys } from './keys.ts';
import { keystoreLimits } from './limits.ts';
import { checkMasterKey } from './master-key-check.ts';
import { createLogins } from './logins.ts';
import type { Logins } from './logins.ts';
import type { MasterKey } from './master-key.ts';
import { rewrapKeys } from './rewrap.ts';
import { createTokens } from './tokens.ts';
import type { Tokens } from './tokens.ts';

/**
 * Domains, DKIM keys and API tokens. Loss of the database rejects with `DatabaseUnavailableError`.
 *
 * As a key source it keeps active keys in memory: a change made here counts at once, one made by another process
 * within ten seconds.
 */
export interface Keystore extends KeySource {
  readonly domains: Domains;
  readonly keys: Keys;
  readonly tokens: Tokens;
  readonly logins: Logins;
  /** See {@link ensureAdminToken}. */
  ensureAdminToken(source: AdminTokenSource): Promise<{ readonly created: boolean }>;
  /**
   * Changes the master key: wraps every data key under the new one, all or none, and answers how many there were. The
   * private keys stay as they are. Other processes have to be restarted with the new master key; until then they go on
   * with the keys they hold and reject with `keystore.master-key-mismatch` where they need another one.
   */
  rewrap(to: MasterKey): Promise<number>;
}

/**
 * Opens the keystore in a database, which remains the caller's to close.
 *
 * @throws {KeystoreError} `keystore.master-key-mismatch` when the private keys are encrypted under another master key
 */
export async function openKeystore(options: {
  readonly database: Database;
  readonly masterKey: MasterKey;
  readonly now?: () => Date;
}): Promise<Keystore> {
  const { database, now = () => new Date() } = options;
  let { masterKey } = options;
  await checkMasterKey(database.db, masterKey);
  const active = new ExpiringCache<readonly SigningKey[] | null>({
    size: keystoreLimits.maxCachedDomains,
    ttlMs: keystoreLimits.cacheTtlMs,
    now: () => now().getTime(),
  });
  const changed = (domain: string): void => active.delete(domain);

  return {
    domains: createDomains(database, { now, changed }),
    keys: createKeys(database, { now, changed, masterKey: () => masterKey }),
    tokens: createTokens(database, now),
    logins: createLogins(database, now),
    activeKeys: (domain) => active.get(domain, () => loadActiveKeys(database, masterKey, domain)),
    ensureAdminToken: (source) => ensureAdminToken(database, source, now),
    async rewrap(to) {
      const count = await rewrapKeys(database, { from: masterKey, to });
      masterKey = to;
      return count;
    },
  };
}
