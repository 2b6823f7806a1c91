import { join } from 'node:path';
import { openDatabase } from '@zegel/database';
import { patience, startNode, startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import type { PostgresServer, RedisServer, TemporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FileMessageStore, openInboundQueue, startInboundWorker } from '../src/index.ts';
import type { InboundQueue, InboundWorkerOptions } from '../src/index.ts';

const WORKER = join(import.meta.dirname, 'programs/worker.ts');
const MESSAGE = 'From: a@example.test\r\n\r\nHello\r\n';
const SHORT = { lockDuration: 500, stalledInterval: 250 };

const edit: InboundWorkerOptions['process'] = async ({ open }) => ({
  report: { dkim: 'pass' },
  result: (async function* () {
    yield Buffer.from('X-Seen: yes\r\n');
    yield* open();
  })(),
});

async function read(bytes: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

async function settled(queue: InboundQueue, id: string, state: string) {
  return vi.waitFor(async () => {
    const record = await queue.get(id);
    expect(record?.state).toBe(state);
    return record!;
  }, patience);
}

let postgres: PostgresServer;
let redis: RedisServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  folder = temporaryFolder('death');
});

afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop()]);
  folder.remove();
});

describe.each(['Redis', 'PostgreSQL'])('a worker process killed on %s while it holds a message', (name) => {
  async function place(database: string) {
    const url = await postgres.createDatabase(database);
    const messages = join(folder.path, database);
    const redisUrl = name === 'Redis' ? redis.url : undefined;
    const ground = { database: await openDatabase({ url }), store: new FileMessageStore(messages), redisUrl };
    const child = (options: object) =>
      startNode(WORKER, [JSON.stringify({ database: { url }, messages, redisUrl, ...options })]);
    return { ground, child, queue: await openInboundQueue(ground) };
  }

  test('another one finishes it, with exactly one result', async () => {
    const { ground, child, queue } = await place(`${name}-finish`.toLowerCase());
    const doomed = await child({});
    const { id } = await queue.submit(Buffer.from(MESSAGE), {});
    await doomed.waitForLine(new RegExp(`^holding ${id}`));
    expect((await queue.get(id))?.state).toBe('verifying');
    await doomed.kill('SIGKILL');

    const worker = await startInboundWorker({ ...ground, ...SHORT, process: edit });
    expect(await settled(queue, id, 'done')).toMatchObject({ attempts: 2, report: { dkim: 'pass' } });
    expect(await read(await queue.openResult(id))).toBe(`X-Seen: yes\r\n${MESSAGE}`);
    await expect(ground.store.size(`${id}.1`)).rejects.toMatchObject({ code: 'message-store.missing' });
    await worker.close();
    await queue.close();
    await ground.database.close();
  });

  test('too often: it is parked with its bytes, and can be put back', async () => {
    const { ground, child, queue } = await place(`${name}-park`.toLowerCase());
    const doomed = await child({});
    const { id } = await queue.submit(Buffer.from(MESSAGE), {});
    await doomed.waitForLine(new RegExp(`^holding ${id}`));
    await doomed.kill('SIGKILL');

    const worker = await startInboundWorker({ ...ground, ...SHORT, maxStalledCount: 0, process: edit });
    expect(await settled(queue, id, 'parked')).toMatchObject({ error: { code: 'queue.stalled' } });
    expect(await read(await queue.openMessage(id))).toBe(MESSAGE);
    expect(await queue.retry(id)).toBe(true);
    await settled(queue, id, 'done');
    await worker.close();
    await queue.close();
    await ground.database.close();
  });
});

test('a whole process killed on PGlite: the next start finishes its message', async () => {
  const data = join(folder.path, 'embedded');
  const messages = join(data, 'messages');
  const config = { database: { folder: data }, messages, submit: MESSAGE };
  const doomed = await startNode(WORKER, [JSON.stringify(config)]);
  const line = await doomed.waitForLine(/^holding /);
  await doomed.kill('SIGKILL');

  const database = await openDatabase({ folder: data });
  const ground = { database, store: new FileMessageStore(messages) };
  const queue = await openInboundQueue(ground);
  const worker = await startInboundWorker({ ...ground, ...SHORT, process: edit });
  const id = line.slice('holding '.length);
  expect(await settled(queue, id, 'done')).toMatchObject({ attempts: 2, session: { ip: '192.0.2.1' } });
  expect(await read(await queue.openResult(id))).toBe(`X-Seen: yes\r\n${MESSAGE}`);
  await worker.close();
  await queue.close();
  await database.close();
});
