import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { KeyRecord } from './key-record.ts';
import { hardMaxRsaBits } from './limits.ts';
import type { DkimLimits } from './limits.ts';

export type PublicKeyProblem = 'dkim.key-unreadable' | 'dkim.key-too-short' | 'dkim.key-too-long' | 'dkim.key-exponent';

export type PublicKey =
  | { readonly ok: true; readonly key: KeyObject; readonly bits: number }
  | { readonly ok: false; readonly code: PublicKeyProblem; readonly bits?: number };

/** Imported keys by record content: importing costs about as much as verifying. Bounded, and never wrong: same bytes, same key. */
const imported = new Map<string, KeyObject | null>();
const maxImported = 1_000;

/**
 * The public key in a record of type `rsa` or `ed25519`. RSA keys may be SubjectPublicKeyInfo or PKCS#1 RSAPublicKey
 * (RFC 6376 §3.6.1); their size and exponent are checked before they are used, since both decide what a check costs.
 */
export function importPublicKey(
  record: Pick<KeyRecord, 'keyType' | 'publicKey'>,
  limits: Pick<DkimLimits, 'minRsaBits' | 'maxRsaBits'>,
): PublicKey {
  const key = importCached(record);
  if (key === null) return { ok: false, code: 'dkim.key-unreadable' };
  if (record.keyType === 'ed25519') return { ok: true, key, bits: 256 };
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n;
  if (bits < limits.minRsaBits) return { ok: false, code: 'dkim.key-too-short', bits };
  if (bits > Math.min(limits.maxRsaBits, hardMaxRsaBits)) return { ok: false, code: 'dkim.key-too-long', bits };
  if (exponent < 3n || exponent >= 2n ** 32n || exponent % 2n === 0n)
    return { ok: false, code: 'dkim.key-exponent', bits };
  return { ok: true, key, bits };
}

function importCached(record: Pick<KeyRecord, 'keyType' | 'publicKey'>): KeyObject | null {
  const name = `${record.keyType} ${record.publicKey.toString('latin1')}`;
  const known = imported.get(name);
  if (known !== undefined) return known;
  const key = record.keyType === 'ed25519' ? importEd25519(record.publicKey) : importRsa(record.publicKey);
  if (imported.size >= maxImported) imported.clear();
  imported.set(name, key);
  return key;
}

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
