import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Permission bits that nobody but the owner may have; reading by the group is how orchestrators mount secrets (0440). */
const exposed = 0o027;

/** Whether a file of this mode lets others at the secret in it. */
export function isExposed(mode: number): boolean {
  return (mode & exposed) !== 0;
}

/** The text of a file that holds a secret, without the line end behind it; or why it cannot be used. */
export type SecretText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly explanation: string };

/** Reads a file that holds a secret of at most so many bytes. Never throws. */
export function readSecretFile(file: string, maxBytes: number): SecretText {
  let handle: number | null = null;
  try {
    handle = openSync(file, 'r');
    if (isExposed(fstatSync(handle).mode)) return { ok: false, explanation: 'others can get at it: chmod 600' };
    const buffer = Buffer.alloc(maxBytes + 1);
    const size = readSync(handle, buffer);
    if (size > maxBytes) return { ok: false, explanation: `it is above ${maxBytes} bytes` };
    return { ok: true, text: buffer.toString('utf8', 0, size).trimEnd() };
  } catch (error) {
    return { ok: false, explanation: error instanceof Error ? error.message : String(error) };
  } finally {
    if (handle !== null) closeSync(handle);
  }
}
