import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A key pair made by Node, and its key record (RFC 6376 §3.6.1, RFC 8463 §4) written without the code under test. */
export interface TestKeyPair {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** PKCS #8, PEM. */
  readonly privatePem: string;
  /** The text of the TXT record. */
  readonly keyRecord: string;
}

/** The key record of an Ed25519 key holds its bare 32 bytes: the end of the SubjectPublicKeyInfo. */
const ed25519KeyLength = 32;

const made = new Map<TestKeyPair['algorithm'], TestKeyPair>();

/** The key pair of this test run for an algorithm: made at the first call, the same ever after. RSA keys have 2048 bits. */
export function testKeyPair(algorithm: TestKeyPair['algorithm']): TestKeyPair {
  const existing = made.get(algorithm);
  if (existing !== undefined) return existing;
  const isRsa = algorithm === 'rsa-sha256';
  const { privateKey, publicKey } = isRsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const published = isRsa ? spki : spki.subarray(-ed25519KeyLength);
  const pair: TestKeyPair = {
    algorithm,
    privateKey,
    publicKey,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    keyRecord: `v=DKIM1; k=${isRsa ? 'rsa' : 'ed25519'}; p=${published.toString('base64')}`,
  };
  made.set(algorithm, pair);
  return pair;
}
