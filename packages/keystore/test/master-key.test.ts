import { randomBytes } from 'node:crypto';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder } from '@zegel/test-harness';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMasterKeyFile, loadMasterKey } from '../src/index.ts';

const rejection = (code: string) => expect.objectContaining({ code });

let folder: TemporaryFolder;
let file: string;

beforeEach(() => {
  folder = temporaryFolder('master-key');
  file = join(folder.path, 'data', 'master-key');
});

afterEach(() => folder.remove());

describe('a master key file', () => {
  test('is made with mode 0600 and never overwritten', async () => {
    const made = await createMasterKeyFile(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await loadMasterKey({ file })).id).toBe(made.id);
    await expect(createMasterKeyFile(file)).rejects.toEqual(rejection('keystore.master-key-exists'));
    expect((await loadMasterKey({ file })).id).toBe(made.id);
  });

  test.each([0o644, 0o604, 0o660, 0o620])('of mode %o is refused', async (mode) => {
    await createMasterKeyFile(file);
    await chmod(file, mode);
    await expect(loadMasterKey({ file })).rejects.toEqual(rejection('keystore.secret-exposed'));
  });

  test.each([0o400, 0o440, 0o640])('of mode %o, as orchestrators mount secrets, is read', async (mode) => {
    await createMasterKeyFile(file);
    await chmod(file, mode);
    await expect(loadMasterKey({ file })).resolves.toBeDefined();
  });

  test('that is missing is told by name', async () => {
    await expect(loadMasterKey({ file })).rejects.toThrow(file);
    await expect(loadMasterKey({ file })).rejects.toEqual(rejection('keystore.master-key-missing'));
  });
});

describe('loadMasterKey', () => {
  test('reads base64 and base64url, and tells keys apart by an id', async () => {
    const bytes = randomBytes(32);
    const a = await loadMasterKey({ value: bytes.toString('base64') });
    const b = await loadMasterKey({ value: `${bytes.toString('base64url')}\n` });
    expect(a.id).toMatch(/^[0-9a-f]{16}$/);
    expect(b.id).toBe(a.id);
    expect((await loadMasterKey({ value: randomBytes(32).toString('base64') })).id).not.toBe(a.id);
  });

  test.each([
    '',
    'hunter2',
    randomBytes(31).toString('base64'),
    randomBytes(33).toString('base64'),
    randomBytes(16).toString('hex'),
    randomBytes(32).toString('hex'),
  ])('%j is not one, and is not repeated', async (value) => {
    const error: unknown = await loadMasterKey({ value }).catch((reason: unknown) => reason);
    expect(error).toEqual(rejection('keystore.master-key-invalid'));
    expect(value !== '' && inspect(error).includes(value)).toBe(false);
  });

  test('what it gives does not show its bytes', async () => {
    const bytes = randomBytes(32);
    const key = await loadMasterKey({ value: bytes.toString('base64') });
    const shown = inspect(key, { depth: 10, showHidden: true }) + JSON.stringify(key);
    expect(shown).not.toContain(bytes.toString('base64'));
    expect(shown).not.toContain(bytes.toString('hex'));
  });
});
