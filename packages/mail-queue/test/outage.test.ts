import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '@zegel/database';
import type { Database } from '@zegel/database';
import { freePort, patience, startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import type { PostgresServer, TemporaryFolder } from '@zegel/test-harness';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { FileMessageStore, openInboundQueue, startInboundWorker } from '../src/index.ts';

const MESSAGE = Buffer.from('From: a@example.test\r\n\r\nHello\r\n');
const nothingToSay = async () => ({ report: {}, result: null });

let postgres: PostgresServer;
let database: Database;
let folder: TemporaryFolder;
let messages: string;

beforeAll(async () => {
  postgres = await startPostgres();
  database = await openDatabase({ url: postgres.url });
  folder = temporaryFolder('outage');
  messages = join(folder.path, 'messages');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await database.pool.query('truncate zegel.inbound');
});

afterAll(async () => {
  await database.close();
  await postgres.stop();
  folder.remove();
});

const storedMessages = () =>
  readdirSync(messages, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

describe('Redis gone in the middle', () => {
  test('submit says queue.unavailable and keeps nothing; all is well when Redis is back', async () => {
    await using redis = await startRedis({ appendOnly: true });
    const ground = { database, store: new FileMessageStore(messages), redisUrl: redis.url };
    const queue = await openInboundQueue(ground);
    const { id: before } = await queue.submit(MESSAGE, {});
    await redis.kill();
    const kept = storedMessages().length;
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(queue.submit(MESSAGE, {})).rejects.toMatchObject({ code: 'queue.unavailable' });
    }
    await expect(queue.ping()).rejects.toMatchObject({ code: 'queue.unavailable' });
    await expect(queue.reconcile()).rejects.toMatchObject({ code: 'queue.unavailable' });
    expect(storedMessages()).toHaveLength(kept);
    expect((await database.db.selectFrom('inbound').select('id').execute()).map(({ id }) => id)).toEqual([before]);

    const worker = await startInboundWorker({ ...ground, process: nothingToSay });
    await redis.restart();
    await vi.waitFor(() => queue.ping(), patience);
    const { id: after } = await queue.submit(MESSAGE, {});
    for (const id of [before, after]) {
      await vi.waitFor(async () => expect((await queue.get(id))?.state).toBe('done'), patience);
    }
    await worker.close();
    await queue.close();
  });

  test('a message that is put back meanwhile is queued, and done when Redis is back', async () => {
    await using redis = await startRedis({ appendOnly: true });
    const ground = { database, store: new FileMessageStore(messages), redisUrl: redis.url };
    const queue = await openInboundQueue(ground);
    const { id } = await queue.submit(MESSAGE, {});
    let isBroken = true;
    const process = async () => {
      if (isBroken) throw new Error('broken');
      return nothingToSay();
    };
    const worker = await startInboundWorker({ ...ground, process, attempts: 1, reconcileInterval: 100 });
    await vi.waitFor(async () => expect((await queue.get(id))?.state).toBe('parked'), patience);
    isBroken = false;
    await redis.kill();
    expect(await queue.retry(id)).toBe(true);
    expect((await queue.get(id))?.state).toBe('queued');
    expect(await queue.retry(id)).toBe(false);
    await redis.restart();
    await vi.waitFor(async () => expect((await queue.get(id))?.state).toBe('done'), patience);
    await worker.close();
    await queue.close();
  });

  test('with the connection lost between the row and the job, nothing is kept', async () => {
    await using redis = await startRedis({ appendOnly: true });
    const queue = await openInboundQueue({ database, store: new FileMessageStore(messages), redisUrl: redis.url });
    await vi.waitFor(() => queue.ping(), patience);
    const kept = storedMessages().length;
    async function* killing() {
      yield MESSAGE;
      await redis.kill();
    }
    await expect(queue.submit(killing(), {})).rejects.toMatchObject({ code: 'queue.unavailable' });
    expect(storedMessages()).toHaveLength(kept);
    expect(await database.db.selectFrom('inbound').select('id').execute()).toEqual([]);
    await queue.close();
  });

  test('a Redis that comes back without its data gets the jobs again', async () => {
    await using redis = await startRedis();
    const ground = { database, store: new FileMessageStore(messages), redisUrl: redis.url };
    const queue = await openInboundQueue(ground);
    const { id } = await queue.submit(MESSAGE, {});
    const worker = await startInboundWorker({
      ...ground,
      reconcileInterval: 100,
      process: async ({ signal }) => {
        if (!redisWasLost)
          await new Promise((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
        return nothingToSay();
      },
      lockDuration: 1_000,
      stalledInterval: 500,
    });
    let redisWasLost = false;
    await vi.waitFor(async () => expect((await queue.get(id))?.state).toBe('verifying'), patience);
    await redis.kill();
    redisWasLost = true;
    await redis.restart();
    await vi.waitFor(async () => expect((await queue.get(id))?.state).toBe('done'), patience);
    await worker.close();
    await queue.close();
  });

  test('a Redis that was never there is not waited for', async () => {
    const redisUrl = `redis://127.0.0.1:${await freePort()}`;
    const queue = await openInboundQueue({ database, store: new FileMessageStore(messages), redisUrl });
    await expect(queue.submit(MESSAGE, {})).rejects.toMatchObject({ code: 'queue.unavailable' });
    await queue.close();
  });

  test('a Redis without memory is a full queue', async () => {
    await using redis = await startRedis({ settings: { maxmemory: '1' } });
    const queue = await openInboundQueue({ database, store: new FileMessageStore(messages), redisUrl: redis.url });
    await expect(queue.submit(MESSAGE, {})).rejects.toMatchObject({ code: 'queue.full' });
    expect(await database.db.selectFrom('inbound').select('id').execute()).toEqual([]);
    await queue.close();
  });
});

test('a full message store refuses the message and keeps nothing', async () => {
  const queue = await openInboundQueue({ database, store: new FileMessageStore(messages) });
  await queue.submit(MESSAGE, {});
  const kept = storedMessages().length;
  const handle = await open(messages, 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  vi.spyOn(prototype, 'write').mockRejectedValue(Object.assign(new Error('full'), { code: 'ENOSPC' }));
  await expect(queue.submit(MESSAGE, {})).rejects.toMatchObject({ code: 'message-store.full' });
  vi.restoreAllMocks();
  expect(storedMessages()).toHaveLength(kept);
  expect(await database.db.selectFrom('inbound').select('id').execute()).toHaveLength(1);
  await queue.submit(MESSAGE, {});
  await queue.close();
});

test('a PostgreSQL gone in the middle refuses messages, and the queue in it goes on when it is back', async () => {
  await using server = await startPostgres();
  const own = await openDatabase({ url: server.url });
  const ground = { database: own, store: new FileMessageStore(join(folder.path, 'own')) };
  const queue = await openInboundQueue(ground);
  const worker = await startInboundWorker({ ...ground, process: nothingToSay });
  const { id: before } = await queue.submit(MESSAGE, {});
  await vi.waitFor(async () => expect((await queue.get(before))?.state).toBe('done'), patience);
  // The test's server commits without syncing: what is there must outlive the crash.
  await own.pool.query('checkpoint');
  await server.kill();
  await expect(queue.submit(MESSAGE, {})).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:queue|database)\.unavailable$/),
  });
  await server.restart();
  await vi.waitFor(() => queue.ping(), patience);
  const { id: after } = await queue.submit(MESSAGE, {});
  await vi.waitFor(async () => expect((await queue.get(after))?.state).toBe('done'), patience);
  await worker.close();
  await queue.close();
  await own.close();
});
