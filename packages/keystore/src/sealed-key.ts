import { createCipheriv, createDecipheriv, createPrivateKey, createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KeystoreError } from './errors.ts';
import type { MasterKey } from './master-key.ts';

/**
 * A private key at rest (format 1):
 *
 *     1 octet    version
 *     8 octets   id of the master key
 *     60 octets  the data key, AES-256-GCM under the master key: nonce (12), ciphertext (32), tag (16)
 *     rest       the private key (PKCS#8, DER), AES-256-GCM under the data key: nonce (12), ciphertext, tag (16)
 *
 * Every record has a data key of its own, so a new master key means wrapping 32 bytes anew, not touching private keys.
 * Both layers authenticate whose key it is: a blob moved to another row does not open.
 */
const VERSION = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DATA_KEY_BYTES = 32;
const WRAPPED_AT = 1 + ID_BYTES;
const SEALED_AT = WRAPPED_AT + NONCE_BYTES + DATA_KEY_BYTES + TAG_BYTES;

/** Whose private key it is. */
export interface KeyIdentity {
  readonly id: string;
  readonly domain: string;
  readonly selector: string;
}

/** Encrypts a private key for storage, under a fresh data key. */
export function sealPrivateKey(privateKey: KeyObject, identity: KeyIdentity, masterKey: MasterKey): Uint8Array {
  const bytes = privateKey.export({ format: 'der', type: 'pkcs8' });
  const dataKey = randomBytes(DATA_KEY_BYTES);
  try {
    return Buffer.concat([
      header(masterKey),
      encrypt(masterKey.key, dataKey, additionalData('data key', identity)),
      encrypt(createSecretKey(dataKey), bytes, additionalData('private key', identity)),
    ]);
  } finally {
    bytes.fill(0);
    dataKey.fill(0);
  }
}

/**
 * Decrypts a stored private key.
 *
 * @throws {KeystoreError} `keystore.master-key-mismatch` when it is sealed under another master key,
 *   `keystore.key-tampered` when a bit of it differs or it is another key's
 */
export function openPrivateKey(sealed: Uint8Array, identity: KeyIdentity, masterKey: MasterKey): KeyObject {
  const dataKey = openDataKey(sealed, identity, masterKey);
  const aad = additionalData('private key', identity);
  const bytes = decrypt(createSecretKey(dataKey), sealed.subarray(SEALED_AT), aad) ?? tampered(identity);
  try {
    return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  } finally {
    bytes.fill(0);
    dataKey.fill(0);
  }
}

/** The same sealed private key, with its data key wrapped under another master key. @throws as {@link openPrivateKey} */
export function rewrapPrivateKey(
  sealed: Uint8Array,
  identity: KeyIdentity,
  masterKeys: { readonly from: MasterKey; readonly to: MasterKey },
): Uint8Array {
  const dataKey = openDataKey(sealed, identity, masterKeys.from);
  try {
    return Buffer.concat([
      header(masterKeys.to),
      encrypt(masterKeys.to.key, dataKey, additionalData('data key', identity)),
      sealed.subarray(SEALED_AT),
    ]);
  } finally {
    dataKey.fill(0);
  }
}

function openDataKey(sealed: Uint8Array, identity: KeyIdentity, masterKey: MasterKey): Buffer {
  if (sealed.length < SEALED_AT + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) return tampered(identity);
  const sealedUnder = Buffer.from(sealed.subarray(1, WRAPPED_AT)).toString('hex');
  if (sealedUnder !== masterKey.id) {
    throw new KeystoreError(
      'keystore.master-key-mismatch',
      `the key ${identity.selector} of ${identity.domain} is encrypted under master key ${sealedUnder}, not ${masterKey.id}`,
    );
  }
  const aad = additionalData('data key', identity);
  return decrypt(masterKey.key, sealed.subarray(WRAPPED_AT, SEALED_AT), aad) ?? tampered(identity);
}

function tampered({ selector, domain }: KeyIdentity): never {
  throw new KeystoreError('keystore.key-tampered', `what is stored for the key ${selector} of ${domain} was changed`);
}

function header(masterKey: MasterKey): Buffer {
  return Buffer.concat([Buffer.of(VERSION), Buffer.from(masterKey.id, 'hex')]);
}

/** What a ciphertext belongs to. Each part has its length before it, so that no two lists of parts look the same. */
function additionalData(purpose: string, { domain, selector, id }: KeyIdentity): Buffer {
  return encodeParts([`zegel ${purpose} ${VERSION}`, domain, selector, id]);
}

/** The octets of each text behind their number (four octets, most significant first). */
export function encodeParts(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );
}

/**
 * AES-256-GCM: nonce, ciphertext, tag. The nonce is random: 2^32 encryptions under one key are safe, a master key sees
 * one a private key.
 */
export function encrypt(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext of what {@link encrypt} gave; null when key, ciphertext or additional data are not the same. */
export function decrypt(key: KeyObject, sealed: Uint8Array, aad: Uint8Array): Buffer | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    plaintext.fill(0);
    return null;
  }
}
