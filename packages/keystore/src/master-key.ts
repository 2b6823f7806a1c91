import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KeystoreError } from './errors.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** The key that wraps the data keys of all private keys. It is never written to the database. */
export interface MasterKey {
  /** Tells master keys apart and says nothing about their bytes: 16 hexadecimal digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** Where the master key is: 32 bytes in base64, or a file that holds them so. */
export type MasterKeySource = { readonly value: string } | { readonly file: string };

const MASTER_KEY_BYTES = 32;
/** 32 bytes in base64 or base64url: the last of 43 characters carries 4 bits. */
const BASE64_32 = /^[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?$/;

/**
 * Reads the master key.
 *
 * @throws {KeystoreError} `keystore.master-key-missing` (no such file), `keystore.secret-exposed` (its mode lets
 *   others read it), `keystore.master-key-invalid` (not 32 bytes in base64)
 */
export async function loadMasterKey(source: MasterKeySource): Promise<MasterKey> {
  if ('value' in source) return masterKeyFrom(source.value.trim(), 'the master key');
  const text = await readSecretFile(source.file);
  if (text === null) {
    throw new KeystoreError('keystore.master-key-missing', `there is no master key file ${source.file}`);
  }
  return masterKeyFrom(text, `the master key in ${source.file}`);
}

/**
 * Makes a master key and writes it to a new file of mode 0600. Keep a copy of it apart from the database: without it
 * the private keys are lost, with it and a dump of the database they are open.
 *
 * @throws {KeystoreError} `keystore.master-key-exists`: a master key is never overwritten
 */
export async function createMasterKeyFile(path: string): Promise<MasterKey> {
  const text = randomBytes(MASTER_KEY_BYTES).toString('base64');
  if (await writeSecretFile(path, text)) return masterKeyFrom(text, 'the master key');
  throw new KeystoreError('keystore.master-key-exists', `there is a master key file ${path} already`);
}

function masterKeyFrom(text: string, what: string): MasterKey {
  if (!BASE64_32.test(text)) {
    throw new KeystoreError(
      'keystore.master-key-invalid',
      `${what} must be ${MASTER_KEY_BYTES} bytes in base64, as "openssl rand -base64 32" makes them`,
    );
  }
  const bytes = Buffer.from(text, 'base64');
  const id = createHash('sha256').update('zegel master key id\0').update(bytes).digest('hex').slice(0, 16);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, key };
}
