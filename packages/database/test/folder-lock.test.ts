import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNode, temporaryFolder } from '@zegel/test-harness';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder, openDatabase } from '../src/index.ts';

const HOLDER = join(import.meta.dirname, 'programs/hold-folder.ts');

let temporary: ReturnType<typeof temporaryFolder>;
let folder: string;

beforeEach(() => {
  temporary = temporaryFolder('lock');
  folder = join(temporary.path, 'data');
});

afterEach(() => temporary.remove());

async function startHolder() {
  const holder = await startNode(HOLDER, [folder]);
  await holder.waitForLine(/^ready/);
  return holder;
}

test('makes the folder for its owner alone', async () => {
  const lock = await lockFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(lock.folder).toBe(folder);
  await lock.release();
});

test('refuses the same process twice, until it is released', async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'database.folder-in-use', folder, pid: process.pid });
  await lock.release();
  await lock.release();
  const again = await lockFolder(folder);
  await again.release();
});

test('a second process is told who has it; a SIGKILLed one has it no more', async () => {
  const holder = await startHolder();
  holder.write('go');
  await holder.waitForLine(/^outcome held/);
  const refused = openDatabase({ folder });
  await expect(refused).rejects.toMatchObject({ code: 'database.folder-in-use', pid: holder.pid });
  await expect(refused).rejects.toThrow(`${folder} is in use by process ${holder.pid}`);
  await holder.kill('SIGKILL');
  const lock = await lockFolder(folder);
  await lock.release();
});

test('a holder too busy to answer has it all the same', async () => {
  const holder = await startHolder();
  holder.write('go');
  await holder.waitForLine(/^outcome held/);
  process.kill(holder.pid, 'SIGSTOP');
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'database.folder-in-use', pid: null });
  await holder.kill('SIGKILL');
});

test('of many that start at once on a dead lock, exactly one wins', async () => {
  for (let round = 0; round < 3; round += 1) {
    const holders = await Promise.all(Array.from({ length: 6 }, startHolder));
    for (const holder of holders) holder.write('go');
    const outcomes = await Promise.all(holders.map((holder) => holder.waitForLine(/^outcome /)));
    expect(outcomes.filter((outcome) => outcome === 'outcome held')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'outcome database.folder-in-use')).toHaveLength(5);
    await Promise.all(holders.map((holder) => holder.kill('SIGKILL')));
  }
});

test('leaves one file behind, whatever happened before', async () => {
  writeFileSync(join(temporary.path, 'unrelated'), '');
  for (let round = 0; round < 3; round += 1) {
    const lock = await lockFolder(folder);
    await lock.release();
  }
  expect(readdirSync(folder)).toEqual(['zegel.3.lock']);
});

test('works in a folder whose path is longer than a socket path may be', async () => {
  folder = join(temporary.path, 'deep'.repeat(30), 'deeper'.repeat(20));
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'database.folder-in-use', pid: process.pid });
  await lock.release();
  const again = await lockFolder(folder);
  await again.release();
});

test('says why a folder cannot be used', async () => {
  writeFileSync(join(temporary.path, 'file'), '');
  mkdirSync(join(temporary.path, 'other'));
  await expect(lockFolder(join(temporary.path, 'file'))).rejects.toMatchObject({ code: 'database.folder-unusable' });
  await expect(lockFolder(join(temporary.path, 'file', 'data'))).rejects.toMatchObject({
    code: 'database.folder-unusable',
  });
  // A file system on which even root can make nothing.
  await expect(lockFolder('/proc')).rejects.toMatchObject({ code: 'database.folder-unusable', folder: '/proc' });
});
