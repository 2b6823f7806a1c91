import { randomUUID } from 'node:crypto';
import type { Database } from '@zegel/database';
import { KeystoreError } from './errors.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';
import { generateTokenSecret, hashTokenSecret, isTokenSecret } from './token-secret.ts';

/** Where the admin token is: a file that holds it or shall hold it, or its SHA-256 in hexadecimal. */
export type AdminTokenSource = { readonly file: string } | { readonly sha256: string };

/** Name of the token in lists. */
const NAME = 'admin';

/**
 * Makes sure that there is a token for everything, so that a person can begin.
 *
 * With a file: the token in it is accepted from now on; when there is no such file, a token is made and written to it, mode 0600.
 * With a hash: the token that has it is accepted. A token that was revoked stays revoked. Answers whether a file was made.
 *
 * @throws {KeystoreError} `keystore.admin-token-malformed`, `keystore.secret-exposed`
 */
export async function ensureAdminToken(
  database: Database,
  source: AdminTokenSource,
  now: () => Date,
): Promise<{ readonly created: boolean }> {
  if ('sha256' in source) {
    if (!/^[0-9a-f]{64}$/i.test(source.sha256)) {
      throw new KeystoreError(
        'keystore.admin-token-malformed',
        'the SHA-256 of the admin token has 64 hexadecimal digits',
      );
    }
    await register(database, Buffer.from(source.sha256, 'hex'), now());
    return { created: false };
  }
  // The file comes first: a token that is written but not registered is registered by the next start.
  const created =
    (await readSecretFile(source.file)) === null && (await writeSecretFile(source.file, generateTokenSecret()));
  const secret = await readSecretFile(source.file);
  if (secret === null || !isTokenSecret(secret)) {
    throw new KeystoreError(
      'keystore.admin-token-malformed',
      `${source.file} does not hold a token; remove it to have a new one made`,
    );
  }
  await register(database, Buffer.from(hashTokenSecret(secret), 'hex'), now());
  return { created };
}

async function register({ db }: Database, hash: Uint8Array, at: Date): Promise<void> {
  await db
    .insertInto('tokens')
    .values({ id: randomUUID(), name: NAME, secret_hash: hash, scopes: ['admin'], domains: null, created_at: at })
    .onConflict((conflict) => conflict.column('secret_hash').doNothing())
    .execute();
}
