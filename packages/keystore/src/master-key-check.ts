import type { Database, Schema } from '@zegel/database';
import type { Kysely } from 'kysely';
import { KeystoreError } from './errors.ts';
import { createMasterKeyFile, loadMasterKey } from './master-key.ts';
import type { MasterKey, MasterKeySource } from './master-key.ts';
import { decrypt, encodeParts, encrypt } from './sealed-key.ts';

/** Row of `settings` that says which master key the private keys are encrypted under. */
const SETTING = 'keystore.master-key';
const CHECK = Buffer.from('zegel master key check');

/** What the row holds: the key's id, and a known text encrypted under it. */
interface CheckValue {
  readonly id: string;
  readonly check: string;
}

/**
 * Binds the database to a master key on first use; afterwards lets no other one pass.
 *
 * @throws {KeystoreError} `keystore.master-key-mismatch`
 */
export async function checkMasterKey(db: Kysely<Schema>, masterKey: MasterKey): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name: SETTING, value: JSON.stringify(checkValue(masterKey)) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const stored = await db.selectFrom('settings').select('value').where('name', '=', SETTING).executeTakeFirstOrThrow();
  verifyCheck(stored.value, masterKey);
}

/**
 * Inside a transaction: makes sure that the database is still bound to this master key, and that it stays so until the
 * transaction ends. Several holders may `share` it; who binds it anew wants it `alone`.
 *
 * @throws {KeystoreError} `keystore.master-key-mismatch` when another process has rewrapped the keys
 */
export async function holdMasterKey(trx: Kysely<Schema>, masterKey: MasterKey, how: 'share' | 'alone'): Promise<void> {
  const query = trx.selectFrom('settings').select('value').where('name', '=', SETTING);
  const stored = await (how === 'share' ? query.forShare() : query.forUpdate()).executeTakeFirst();
  verifyCheck(stored?.value, masterKey);
}

/** Inside a transaction that holds it alone: binds the database to another master key. */
export async function bindMasterKey(trx: Kysely<Schema>, masterKey: MasterKey): Promise<void> {
  const value = JSON.stringify(checkValue(masterKey));
  await trx.updateTable('settings').set({ value }).where('name', '=', SETTING).execute();
}

/**
 * The master key of this database: the given one, or, where a file is named that is not there and the database is not
 * bound to a master key yet, a new one in that file.
 *
 * @throws {KeystoreError} as {@link loadMasterKey}; a missing file is not replaced once there are keys only the lost
 *   master key opens
 */
export async function ensureMasterKey(database: Database, source: MasterKeySource): Promise<MasterKey> {
  try {
    return await loadMasterKey(source);
  } catch (error) {
    if (!(error instanceof KeystoreError && error.code === 'keystore.master-key-missing') || 'value' in source)
      throw error;
    const bound = await database.db
      .selectFrom('settings')
      .select('value')
      .where('name', '=', SETTING)
      .executeTakeFirst();
    if (bound !== undefined) {
      const id = isCheckValue(bound.value) ? ` ${bound.value.id}` : '';
      throw new KeystoreError(
        error.code,
        `${error.message}, and the private keys are encrypted under master key${id}: restore that file`,
      );
    }
  }
  try {
    return await createMasterKeyFile(source.file);
  } catch (error) {
    // Another process was faster.
    if (error instanceof KeystoreError && error.code === 'keystore.master-key-exists') return loadMasterKey(source);
    throw error;
  }
}

function checkValue(masterKey: MasterKey): CheckValue {
  return { id: masterKey.id, check: encrypt(masterKey.key, CHECK, additionalData(masterKey.id)).toString('base64') };
}

function verifyCheck(stored: unknown, masterKey: MasterKey): void {
  if (
    isCheckValue(stored) &&
    stored.id === masterKey.id &&
    decrypt(masterKey.key, Buffer.from(stored.check, 'base64'), additionalData(masterKey.id))?.equals(CHECK) === true
  ) {
    return;
  }
  const expected = isCheckValue(stored) ? stored.id : 'unknown';
  throw new KeystoreError(
    'keystore.master-key-mismatch',
    `the private keys are encrypted under master key ${expected}; the one given is ${masterKey.id}`,
  );
}

function isCheckValue(value: unknown): value is CheckValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'check' in value &&
    typeof value.check === 'string'
  );
}

function additionalData(id: string): Buffer {
  return encodeParts(['zegel master key check 1', id]);
}
