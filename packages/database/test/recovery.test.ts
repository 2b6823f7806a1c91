import { join } from 'node:path';
import { startNode, temporaryFolder } from '@zegel/test-harness';
import { expect, test } from 'vitest';
import { lockFolder, openDatabase } from '../src/index.ts';

const WRITER = join(import.meta.dirname, 'programs/write-until-killed.ts');

test('PGlite keeps what was committed when its process is SIGKILLed in the middle of writes', async () => {
  using folder = temporaryFolder('recovery');
  const writer = await startNode(WRITER, [folder.path]);
  await writer.waitForLine(/^committed 60$/);
  await writer.kill('SIGKILL');
  const committed = [...writer.output().matchAll(/^committed ([0-9]+)$/gm)].map(([, index]) => Number(index));

  const database = await openDatabase({ folder: folder.path });
  const names = new Set((await database.db.selectFrom('domains').select('name').execute()).map(({ name }) => name));
  for (const index of committed) expect([...names]).toContain(`${index}.a.test`);
  // The transaction in flight is there as a whole or not at all.
  expect(names.size % 2).toBe(0);
  expect(names.size / 2 - committed.length).toBeLessThanOrEqual(1);
  await database.db.insertInto('domains').values({ name: 'after.test' }).execute();
  await database.close();
});

test('a database in a folder is there again after a close, under a lock that the caller keeps', async () => {
  using folder = temporaryFolder('reopen');
  const lock = await lockFolder(folder.path);
  const first = await openDatabase({ folder: folder.path, lock });
  await first.db
    .insertInto('settings')
    .values({ name: 'a', value: JSON.stringify({ b: 1 }) })
    .execute();
  await first.close();
  await expect(lockFolder(folder.path)).rejects.toMatchObject({ code: 'database.folder-in-use' });
  const second = await openDatabase({ folder: folder.path, lock });
  expect(await second.db.selectFrom('settings').selectAll().execute()).toEqual([{ name: 'a', value: { b: 1 } }]);
  await second.close();
  await lock.release();
});
