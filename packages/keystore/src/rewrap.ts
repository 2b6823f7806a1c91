import type { Database } from '@zegel/database';
import { keystoreLimits } from './limits.ts';
import { bindMasterKey, holdMasterKey } from './master-key-check.ts';
import type { MasterKey } from './master-key.ts';
import { rewrapPrivateKey } from './sealed-key.ts';

/**
 * Wraps the data keys of all private keys under another master key and binds the database to it: all of them or none.
 * Answers how many there were.
 *
 * @throws {KeystoreError} `keystore.master-key-mismatch` when `from` is not the database's, `keystore.key-tampered` when
 *   a key does not open: nothing is changed then
 */
export async function rewrapKeys(
  { db }: Database,
  masterKeys: { readonly from: MasterKey; readonly to: MasterKey },
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    await holdMasterKey(trx, masterKeys.from, 'alone');
    let count = 0;
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const rows = await trx
        .selectFrom('keys')
        .select(['id', 'domain', 'selector', 'wrapped_key'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(keystoreLimits.rewrapBatch)
        .forUpdate()
        .execute();
      for (const { wrapped_key: sealed, ...identity } of rows) {
        after = identity.id;
        // Revoked and deleted keys have no private half any more.
        if (sealed.length === 0) continue;
        const rewrapped = rewrapPrivateKey(sealed, identity, masterKeys);
        await trx.updateTable('keys').set({ wrapped_key: rewrapped }).where('id', '=', identity.id).execute();
        count++;
      }
      if (rows.length < keystoreLimits.rewrapBatch) break;
    }
    await bindMasterKey(trx, masterKeys.to);
    return count;
  });
}
