import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What no DKIM implementation can do without: one SHA-256 over the bytes and one RSA operation. */
export interface Floor {
  hash(bytes: Uint8Array): Buffer;
  sign(bytes: Uint8Array): Buffer;
  verify(bytes: Uint8Array): boolean;
}

export function createFloor(privateKey: KeyObject): Floor {
  const publicKey = createPublicKey(privateKey);
  const data = Buffer.alloc(1_000, 'header');
  const signature = sign('sha256', data, privateKey);
  return {
    hash,
    sign(bytes) {
      hash(bytes);
      return sign('sha256', data, privateKey);
    },
    verify(bytes) {
      hash(bytes);
      return verify('sha256', data, publicKey, signature);
    },
  };
}

function hash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
