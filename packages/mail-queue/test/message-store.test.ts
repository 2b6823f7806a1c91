import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { patience, startRedis, temporaryFolder } from '@zegel/test-harness';
import type { RedisServer, TemporaryFolder } from '@zegel/test-harness';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileMessageStore, RedisMessageStore } from '../src/index.ts';
import type { MessageStore } from '../src/index.ts';

async function read(store: MessageStore, reference: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.open(reference)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('From: a@example.test\r\n');
  throw new Error('the sender hung up');
}

const filesIn = (name: string) =>
  readdirSync(name, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

let redis: RedisServer;
let folder: TemporaryFolder;

beforeAll(async () => {
  redis = await startRedis();
  folder = temporaryFolder('messages');
});

afterAll(async () => {
  await redis.stop();
  folder.remove();
});

const stores: readonly (readonly [string, () => MessageStore])[] = [
  ['FileMessageStore', () => new FileMessageStore(join(folder.path, 'contract'))],
  ['RedisMessageStore', () => new RedisMessageStore({ url: redis.url })],
];

describe.each(stores)('%s', (_name, make) => {
  let store: MessageStore;

  beforeAll(async () => {
    store = make();
    await store.ping();
  });

  afterAll(() => store.close());

  test.each([0, 1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 3_000_001])(
    'gives back %i bytes as they were',
    async (length) => {
      const bytes = randomBytes(length);
      const reference = await store.put(`whole-${length}`, bytes);
      expect((await read(store, reference)).equals(bytes)).toBe(true);
      expect(await store.size(reference)).toBe(length);
    },
  );

  test.each([1, 7_919, 524_288, 700_001])('takes a stream of pieces of %i bytes', async (length) => {
    const bytes = randomBytes(length === 1 ? 2_000 : 2_000_003);
    const reference = await store.put(`stream-${length}`, inPieces(bytes, length));
    expect((await read(store, reference)).equals(bytes)).toBe(true);
  });

  test('takes 50 MB', async () => {
    const piece = randomBytes(1_000_000);
    async function* pieces() {
      for (let index = 0; index < 50; index += 1) yield piece;
    }
    const reference = await store.put('large', pieces());
    expect(await store.size(reference)).toBe(50_000_000);
    let length = 0;
    for await (const chunk of await store.open(reference)) length += chunk.length;
    expect(length).toBe(50_000_000);
    await store.delete(reference);
  });

  test('replaces what was there under the same id', async () => {
    const reference = await store.put('twice', Buffer.from('first'));
    expect(await store.put('twice', Buffer.from('second, longer'))).toBe(reference);
    expect((await read(store, reference)).toString()).toBe('second, longer');
  });

  test('keeps the earlier message, and nothing of the new one, when the source fails', async () => {
    const reference = await store.put('kept', Buffer.from('first'));
    await expect(store.put('kept', failing())).rejects.toThrow('the sender hung up');
    expect((await read(store, reference)).toString()).toBe('first');
    await expect(store.put('never', failing())).rejects.toThrow('the sender hung up');
    await expect(store.open('never')).rejects.toMatchObject({ code: 'message-store.missing' });
  });

  test('a message is not there until it is whole', async () => {
    async function* watched() {
      yield Buffer.from('one');
      await expect(store.open('watched')).rejects.toMatchObject({ code: 'message-store.missing' });
      yield Buffer.from('two');
    }
    const reference = await store.put('watched', watched());
    expect((await read(store, reference)).toString()).toBe('onetwo');
  });

  test('lists what was put before a moment', async () => {
    await store.put('listed', Buffer.from('x'));
    const listed = async (before: Date) => {
      const references: string[] = [];
      for await (const reference of store.list(before)) references.push(reference);
      return references;
    };
    expect(await listed(new Date(Date.now() + 60_000))).toContain('listed');
    expect(await listed(new Date(Date.now() - 60_000))).toEqual([]);
  });

  test('forgets what is deleted, and deletes what is not there', async () => {
    const reference = await store.put('gone', Buffer.from('bytes'));
    await store.delete(reference);
    await store.delete(reference);
    await expect(store.open(reference)).rejects.toMatchObject({ code: 'message-store.missing', reference });
    await expect(store.size(reference)).rejects.toMatchObject({ code: 'message-store.missing' });
  });

  test.each([
    '',
    '.',
    '..',
    '../etc/passwd',
    '/etc/passwd',
    'a/b',
    'a\\b',
    'a\0b',
    '.hidden',
    'é',
    'a'.repeat(129),
    'a\n',
  ])('refuses the reference %j', async (reference) => {
    const invalid = { code: 'message-store.invalid-reference' };
    await expect(store.put(reference, Buffer.from('x'))).rejects.toMatchObject(invalid);
    await expect(store.open(reference)).rejects.toMatchObject(invalid);
    await expect(store.size(reference)).rejects.toMatchObject(invalid);
    await expect(store.delete(reference)).rejects.toMatchObject(invalid);
  });
});

describe('FileMessageStore on its file system', () => {
  let place: string;
  let count = 0;

  beforeEach(() => {
    count += 1;
    place = join(folder.path, `place-${count}`);
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('lets nobody else read', async () => {
    const store = new FileMessageStore(place);
    await store.put('private', Buffer.from('x'));
    const [file] = filesIn(place);
    expect(statSync(join(file!.parentPath, file!.name)).mode & 0o777).toBe(0o600);
    expect(statSync(file!.parentPath).mode & 0o777).toBe(0o700);
    expect(statSync(place).mode & 0o777).toBe(0o700);
  });

  test.each([
    ['ENOSPC', 'message-store.full'],
    ['EDQUOT', 'message-store.full'],
    ['EIO', 'message-store.unavailable'],
  ])('%s while writing is %s, and leaves nothing behind', async (failure, code) => {
    const store = new FileMessageStore(place);
    await store.ping();
    const handle = await open(join(place, 'probe'), 'w');
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    rmSync(join(place, 'probe'));
    const write = vi.spyOn(prototype, 'write').mockRejectedValue(Object.assign(new Error(failure), { code: failure }));
    await expect(store.put('full', randomBytes(10))).rejects.toMatchObject({ code });
    expect(filesIn(place)).toEqual([]);
    write.mockRestore();
    const sync = vi.spyOn(prototype, 'sync').mockRejectedValue(Object.assign(new Error(failure), { code: failure }));
    await expect(store.put('full', randomBytes(10))).rejects.toMatchObject({ code });
    expect(filesIn(place)).toEqual([]);
    sync.mockRestore();
    await store.put('full', randomBytes(10));
    expect(filesIn(place)).toHaveLength(1);
  });

  test('a folder that cannot be made is message-store.unavailable', async () => {
    writeFileSync(place, 'a file');
    const store = new FileMessageStore(place);
    await expect(store.put('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'message-store.unavailable' });
    await expect(store.ping()).rejects.toMatchObject({ code: 'message-store.unavailable' });
  });

  test('a folder that is taken away is noticed', async () => {
    const store = new FileMessageStore(place);
    const reference = await store.put('x', Buffer.from('x'));
    rmSync(place, { recursive: true });
    await expect(store.ping()).rejects.toMatchObject({ code: 'message-store.unavailable' });
    await expect(store.open(reference)).rejects.toMatchObject({ code: 'message-store.missing' });
  });

  test('removes what a crash left unfinished, but not what is in work', async () => {
    const store = new FileMessageStore(place);
    mkdirSync(join(place, 'unfinished'), { recursive: true });
    writeFileSync(join(place, 'unfinished', 'old'), 'x');
    writeFileSync(join(place, 'unfinished', 'young'), 'x');
    utimesSync(join(place, 'unfinished', 'old'), new Date(0), new Date(0));
    await store.ping();
    expect(readdirSync(join(place, 'unfinished'))).toEqual(['young']);
  });
});

describe('RedisMessageStore on Redis', () => {
  test('keeps no value above 512 KiB and leaves no unfinished key', async () => {
    await using server = await startRedis();
    const store = new RedisMessageStore({ url: server.url, prefix: 'test' });
    await store.put('chunks', randomBytes(1_300_000));
    await expect(store.put('broken', failing())).rejects.toThrow('the sender hung up');
    const client = new Redis(server.url);
    expect(await client.keys('*')).toEqual(['test:{chunks}']);
    expect(await client.ttl('test:{chunks}')).toBe(-1);
    const lengths = (await client.hvals('test:{chunks}')).map(({ length }) => length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(512 * 1024);
    client.disconnect();
    await store.close();
  });

  test('lets messages expire when asked to', async () => {
    const store = new RedisMessageStore({ url: redis.url, prefix: 'expiring', ttl: 1_000 });
    await store.put('short', Buffer.from('x'));
    const client = new Redis(redis.url);
    expect(await client.ttl('expiring:{short}')).toBeGreaterThan(990);
    client.disconnect();
    await store.close();
  });

  test('is full when Redis is', async () => {
    await using server = await startRedis({ settings: { maxmemory: '4mb' } });
    const store = new RedisMessageStore({ url: server.url });
    await expect(store.put('full', inPieces(randomBytes(8_000_000), 1_000_000))).rejects.toMatchObject({
      code: 'message-store.full',
    });
    const client = new Redis(server.url);
    expect(await client.keys('*')).toEqual([]);
    client.disconnect();
    await store.close();
  });

  test('is unavailable while Redis is away, and serves again after', async () => {
    await using server = await startRedis({ appendOnly: true });
    const store = new RedisMessageStore({ url: server.url });
    const reference = await store.put('kept', Buffer.from('bytes'));
    await server.kill();
    await expect(store.put('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'message-store.unavailable' });
    await expect(store.open(reference)).rejects.toMatchObject({ code: 'message-store.unavailable' });
    await server.restart();
    await vi.waitFor(() => store.ping(), patience);
    expect((await read(store, reference)).toString()).toBe('bytes');
    await store.close();
  });
});
