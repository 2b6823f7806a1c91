import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keptWith } from '@zegel/dns';
import type { KeyRecord } from './key-record.ts';
import { hardMaxRsaBits } from './limits.ts';
import type { DkimLimits } from './limits.ts';

export type PublicKeyProblem = 'dkim.key-unreadable' | 'dkim.key-too-short' | 'dkim.key-too-long' | 'dkim.key-exponent';

export type PublicKey =
  | { readonly ok: true; readonly key: KeyObject; readonly bits: number }
  | { readonly ok: false; readonly code: PublicKeyProblem; readonly bits?: number };

interface ImportedKey {
  readonly key: KeyObject;
  readonly bits: number;
  readonly hasFairExponent: boolean;
}

type KeyMaterial = Pick<KeyRecord, 'keyType' | 'publicKey'>;

/**
 * The public key in a record of type `rsa` or `ed25519`. RSA keys may be SubjectPublicKeyInfo or PKCS#1 RSAPublicKey
 * (RFC 6376 §3.6.1); their size and exponent are checked before they are used, since both decide what a check costs.
 */
export function importPublicKey(record: KeyMaterial, limits: Pick<DkimLimits, 'minRsaBits' | 'maxRsaBits'>): PublicKey {
  const found = importOnce(record);
  if (found === null) return { ok: false, code: 'dkim.key-unreadable' };
  const { key, bits, hasFairExponent } = found;
  if (record.keyType === 'ed25519') return { ok: true, key, bits };
  if (bits < limits.minRsaBits) return { ok: false, code: 'dkim.key-too-short', bits };
  if (bits > Math.min(limits.maxRsaBits, hardMaxRsaBits)) return { ok: false, code: 'dkim.key-too-long', bits };
  if (!hasFairExponent) return { ok: false, code: 'dkim.key-exponent', bits };
  return { ok: true, key, bits };
}

/** Importing a key costs about as much as verifying with it; records are kept by their text, see `keyRecords`. */
const importOnce = keptWith((record: KeyMaterial): ImportedKey | null => {
  const key = record.keyType === 'ed25519' ? importEd25519(record.publicKey) : importRsa(record.publicKey);
  const { modulusLength = 256, publicExponent = 0n } = key?.asymmetricKeyDetails ?? {};
  const hasFairExponent = publicExponent >= 3n && publicExponent < 2n ** 32n && publicExponent % 2n === 1n;
  return key === null ? null : { key, bits: modulusLength, hasFairExponent };
});

function importEd25519(raw: Buffer): KeyObject | null {
  if (raw.length !== 32) return null;
  return tryImport(() =>
    createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') } }),
  );
}

function importRsa(der: Buffer): KeyObject | null {
  const key =
    tryImport(() => createPublicKey({ key: der, format: 'der', type: 'spki' })) ??
    tryImport(() => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }));
  return key?.asymmetricKeyType === 'rsa' ? key : null;
}

function tryImport(create: () => KeyObject): KeyObject | null {
  try {
    return create();
  } catch {
    return null;
  }
}
