import { createPrivateKey } from 'node:crypto';
import { SigningKeyError, createSigningKey } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import type { KeyFile } from '@zegel/service-runtime/config';
import { RulesError } from './errors.ts';
import { groundLimits } from './limits.ts';
import { readNamedFile } from './named-file.ts';

/**
 * The private key of a PEM file; `inline` as in `createSigningKey`. @throws {RulesError} `config.file-unreadable`,
 * `config.key-unusable`
 */
export async function readKeyFile({ domain, selector, file }: KeyFile, inline = false): Promise<SigningKey> {
  const pem = await readNamedFile(file, groundLimits.maxKeyFileBytes, { secret: true });
  try {
    return createSigningKey({ domain, selector, privateKey: createPrivateKey(pem), inline });
  } catch (error) {
    // What OpenSSL says may repeat parts of the file.
    const why =
      error instanceof SigningKeyError ? error.message : 'no private key in PEM, or one that needs a passphrase';
    throw new RulesError('config.key-unusable', `${file}: ${why}`);
  }
}
