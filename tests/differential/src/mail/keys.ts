import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const keyNames = [
  'rsa-2048',
  'rsa-2048-other',
  'rsa-2048-exponent-3',
  'rsa-768',
  'rsa-1024',
  'rsa-4096',
  'rsa-8192',
  'ed25519',
  'ed25519-other',
] as const;

/** A key pair of the folder `keys`. They are the same in every run, so that a seed gives the same bytes; they protect nothing. */
export type KeyName = (typeof keyNames)[number];

export interface TestKey {
  readonly name: KeyName;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  readonly pem: string;
  readonly privateKey: KeyObject;
  /** p= as RFC 8463 §4 has it, or SubjectPublicKeyInfo. */
  readonly published: string;
  /** An RSA key as RSAPublicKey (PKCS #1), the form RFC 6376 §3.6.1 names; else as `published`. */
  readonly bare: string;
}

export const testKeys: Readonly<Record<KeyName, TestKey>> = Object.fromEntries(
  keyNames.map((name) => [name, readKey(name)]),
) as Record<KeyName, TestKey>;

function readKey(name: KeyName): TestKey {
  const pem = readFileSync(path.join(import.meta.dirname, '../../keys', `${name}.pem`), 'utf8');
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const base64 = (type: 'spki' | 'pkcs1') => publicKey.export({ format: 'der', type }).toString('base64');
  if (name.startsWith('rsa')) {
    return { name, algorithm: 'rsa-sha256', pem, privateKey, published: base64('spki'), bare: base64('pkcs1') };
  }
  // SubjectPublicKeyInfo of an Ed25519 key ends in the 32 octets of the key (RFC 8410 §4).
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
  return { name, algorithm: 'ed25519-sha256', pem, privateKey, published: raw, bare: raw };
}
