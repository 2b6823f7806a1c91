import { generateKeyPair as generate, hash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { normalizeDomain } from '@zegel/message';
import { SigningKeyError } from './errors.ts';
import { isSelector } from './key-record.ts';
import { dkimLimits } from './limits.ts';
import { SigningPool } from './signing-pool.ts';

/** The signature algorithms Zegel signs with and accepts (RFC 6376 §3.3, RFC 8301 §3, RFC 8463 §3). */
export type SigningAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

/**
 * A private key that signs for one domain and selector. It may live in memory, in a KMS or in an HSM.
 *
 * `sign` gets the canonicalized header data of RFC 6376 §3.7 and hashes it itself: RSASSA-PKCS1-v1_5 over SHA-256 for
 * `rsa-sha256`, PureEdDSA over the SHA-256 digest for `ed25519-sha256` (RFC 8463 §3). It answers the raw signature and
 * rejects only when the key cannot be reached.
 */
export interface SigningKey {
  /** The signing domain (d=), an A-label name in lower case. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SigningAlgorithm;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** One for the process: its threads and cores are. Made with the first key: until then the thread pool may be given its size. */
let signingPool: SigningPool | undefined;
const withoutThreads = new SigningPool(1);
const generateInPool = promisify(generate);

/**
 * A signing key in memory. RSA signs on all cores when there is more than one message to sign, see {@link SigningPool};
 * Ed25519 is done before a thread would have woken up. With `inline` RSA never leaves the thread: a fifth of its
 * processor time is saved, and nothing else is done while the signatures of a turn of the event loop are made. That is for a
 * service that uses all cores by several processes.
 *
 * Throws {@link SigningKeyError} for a key that is neither RSA nor Ed25519, an RSA modulus outside 1024 to 4096 bits, a
 * domain that is no domain name or a selector that is none.
 */
export function createSigningKey(options: {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: KeyObject;
  readonly inline?: boolean;
}): SigningKey {
  const { selector, privateKey, inline = false } = options;
  const domain = normalizeDomain(options.domain);
  if (domain === null) throw new SigningKeyError('dkim.key-name-invalid', `Not a domain name: ${options.domain}`);
  if (!isSelector(selector)) throw new SigningKeyError('dkim.key-name-invalid', `Not a selector: ${selector}`);
  const algorithm = signingAlgorithm(privateKey);
  const pool = inline ? withoutThreads : (signingPool ??= new SigningPool());
  const rsaKey = { key: privateKey, bits: privateKey.asymmetricKeyDetails?.modulusLength ?? 0 };
  return {
    domain,
    selector,
    algorithm,
    sign:
      algorithm === 'rsa-sha256'
        ? (data) => pool.sign(data, rsaKey)
        : async (data) => sign(null, hash('sha256', data, 'buffer'), privateKey),
  };
}

/** The algorithm a private key signs with. Throws {@link SigningKeyError} when Zegel does not sign with such a key. */
export function signingAlgorithm(privateKey: KeyObject): SigningAlgorithm {
  if (privateKey.type !== 'private') throw new SigningKeyError('dkim.key-unreadable', 'Not a private key');
  if (privateKey.asymmetricKeyType === 'ed25519') return 'ed25519-sha256';
  if (privateKey.asymmetricKeyType !== 'rsa') {
    const type = privateKey.asymmetricKeyType ?? 'unknown';
    throw new SigningKeyError('dkim.key-type-unsupported', `A DKIM key is RSA or Ed25519, this one is ${type}`);
  }
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
  const { minRsaBits, maxRsaBits } = dkimLimits;
  if (bits < minRsaBits) {
    throw new SigningKeyError(
      'dkim.key-too-short',
      `An RSA key of ${bits} bits does not sign: RFC 8301 §3.2 asks for ${minRsaBits}, best 2048`,
    );
  }
  if (bits > maxRsaBits) {
    throw new SigningKeyError(
      'dkim.key-too-long',
      `An RSA key of ${bits} bits does not sign: verifiers need not check more than ${maxRsaBits} (RFC 8301 §3.2), best 2048`,
    );
  }
  return 'rsa-sha256';
}

/** A fresh key pair. `modulusLength` is for RSA, in bits (default 2048). */
export async function generateKeyPair(
  algorithm: SigningAlgorithm,
  options: { readonly modulusLength?: number } = {},
): Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }> {
  if (algorithm === 'ed25519-sha256') return generateInPool('ed25519');
  return generateInPool('rsa', { modulusLength: options.modulusLength ?? 2048 });
}
