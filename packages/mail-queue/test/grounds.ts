import { join } from 'node:path';
import { openDatabase } from '@zegel/database';
import type { Database } from '@zegel/database';
import { startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import { Redis } from 'ioredis';
import { FileMessageStore } from '../src/index.ts';
import type { InboundGround, MessageStore } from '../src/index.ts';

/** A place for the inbound path to live in, with what a test must see of it from outside. */
export interface TestGround extends AsyncDisposable {
  readonly ground: InboundGround;
  readonly database: Database;
  readonly store: MessageStore;
  /** Everything the queue holds, as text. */
  queueText(): Promise<string>;
  /** Makes the queue forget everything, as a Redis without persistence does. */
  loseQueue(): Promise<void>;
  /** Forgets messages and queue between tests. */
  reset(): Promise<void>;
}

async function bullmqTables({ pool }: Database): Promise<string[]> {
  const { rows } = await pool.query(
    `select tablename from pg_tables where schemaname = 'bullmq' and tablename <> 'migration'`,
  );
  return rows.map(({ tablename }) => `bullmq.${String(tablename)}`);
}

async function databaseGround(database: Database, release: () => Promise<void>): Promise<TestGround> {
  const folder = temporaryFolder('inbound');
  const store = new FileMessageStore(join(folder.path, 'messages'));
  const loseQueue = async () => {
    const tables = await bullmqTables(database);
    if (tables.length > 0) await database.pool.query(`truncate ${tables.join(', ')} cascade`);
  };
  return {
    ground: { database, store },
    database,
    store,
    queueText: async () => {
      const tables = await bullmqTables(database);
      const rows = await Promise.all(
        tables.map(async (table) => (await database.pool.query(`select * from ${table}`)).rows),
      );
      return JSON.stringify(rows);
    },
    loseQueue,
    reset: async () => {
      await loseQueue();
      await database.pool.query('truncate zegel.inbound');
    },
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await release();
      folder.remove();
    },
  };
}

async function onPglite(): Promise<TestGround> {
  return databaseGround(await openDatabase({ memory: true }), async () => undefined);
}

async function onPostgres(): Promise<TestGround> {
  const server = await startPostgres();
  return databaseGround(await openDatabase({ url: server.url }), () => server.stop());
}

async function dump(client: Redis, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case 'hash':
      return client.hgetall(key);
    case 'list':
      return client.lrange(key, 0, -1);
    case 'zset':
      return client.zrange(key, '0', '-1');
    case 'stream':
      return client.xrange(key, '-', '+');
    case 'set':
      return client.smembers(key);
    default:
      return client.get(key);
  }
}

async function onRedis(): Promise<TestGround> {
  const [server, redis] = await Promise.all([startPostgres(), startRedis()]);
  const inDatabase = await databaseGround(await openDatabase({ url: server.url }), () => server.stop());
  const client = new Redis(redis.url);
  return {
    ...inDatabase,
    ground: { ...inDatabase.ground, redisUrl: redis.url },
    queueText: async () => {
      const keys = await client.keys('*');
      return JSON.stringify(await Promise.all(keys.map(async (key) => [key, await dump(client, key)])));
    },
    loseQueue: async () => void (await client.flushall()),
    reset: async () => {
      await client.flushall();
      await inDatabase.database.pool.query('truncate zegel.inbound');
    },
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await redis.stop();
      await inDatabase[Symbol.asyncDispose]();
    },
  };
}

/** Every combination that Zegel supports, with real servers. */
export const GROUNDS: readonly (readonly [string, () => Promise<TestGround>])[] = [
  ['Redis and PostgreSQL', onRedis],
  ['PostgreSQL alone', onPostgres],
  ['PGlite alone', onPglite],
];
