import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeystoreError } from './errors.ts';

/** Permission bits that nobody but the owner may have; reading by the group is how orchestrators mount secrets (0440). */
const EXPOSED = 0o027;

/** Bytes read of a secret's file: more than any secret of ours has. */
const MAX_BYTES = 4096;

/**
 * The text of a file that holds a secret, without the white space around it; null when there is no such file.
 *
 * @throws {KeystoreError} `keystore.secret-exposed` when others may read it, or the group may change it
 */
export async function readSecretFile(path: string): Promise<string | null> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    const { mode } = await file.stat();
    if ((mode & EXPOSED) !== 0) {
      const bits = (mode & 0o777).toString(8).padStart(4, '0');
      throw new KeystoreError(
        'keystore.secret-exposed',
        `${path} has mode ${bits}, so others can get at the secret in it: chmod 600 ${path}`,
      );
    }
    const buffer = Buffer.alloc(MAX_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

/**
 * Writes a secret to a new file of mode 0600, on disk when the promise resolves. Missing folders are made, mode 0700.
 * Answers false when the file is there already; it is never overwritten.
 */
export async function writeSecretFile(path: string, secret: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let file;
  try {
    file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const folder = await open(dirname(path), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return true;
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
