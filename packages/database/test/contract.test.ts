import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { startPostgres } from '@zegel/test-harness';
import type { PostgresServer } from '@zegel/test-harness';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../src/index.ts';
import type { Database } from '../src/index.ts';

let server: PostgresServer | undefined;

afterAll(() => server?.stop());

const grounds: readonly (readonly [Database['kind'], () => Promise<Database>])[] = [
  ['pglite', () => openDatabase({ memory: true })],
  [
    'postgresql',
    async () => {
      server = await startPostgres();
      return openDatabase({ url: await server.createDatabase('contract') });
    },
  ],
];

const key = (domain: string, selector: string) => ({
  id: randomUUID(),
  domain,
  selector,
  algorithm: 'ed25519-sha256',
  state: 'pending' as const,
  public_key: Buffer.from([1]),
  wrapped_key: Buffer.from([2]),
});

describe.each(grounds)('a database on %s', (kind, open) => {
  let database: Database;

  beforeAll(async () => {
    database = await open();
  });

  afterAll(() => database.close());

  test('says what it is and answers', async () => {
    expect(database.kind).toBe(kind);
    await expect(database.ping()).resolves.toBeUndefined();
  });

  test('reads every type in the shape of pg', async () => {
    const { rows, rowCount, command, fields } = await database.pool.query(
      `select $1::int8 as big, $2::int4 as small, $3::jsonb as json, $4::timestamptz as time, $5::bytea as bytes,
        $6::text[] as list, $7::boolean as truth, null::text as nothing, $8::uuid as id, 1.5::float8 as real`,
      [
        '9007199254740993',
        7,
        JSON.stringify({ a: [1, 'é'] }),
        new Date('2026-01-02T03:04:05.678Z'),
        Buffer.from([0, 255, 10]),
        ['a', 'b "c"', ''],
        true,
        '0b0e7a4c-9f3f-4a51-8d35-0c51a3f7d5b1',
      ],
    );
    expect(rows).toEqual([
      {
        big: '9007199254740993',
        small: 7,
        json: { a: [1, 'é'] },
        time: new Date('2026-01-02T03:04:05.678Z'),
        bytes: Buffer.from([0, 255, 10]),
        list: ['a', 'b "c"', ''],
        truth: true,
        nothing: null,
        id: '0b0e7a4c-9f3f-4a51-8d35-0c51a3f7d5b1',
        real: 1.5,
      },
    ]);
    expect([rowCount, command, fields[0]?.dataTypeID]).toEqual([1, 'SELECT', 20]);
  });

  test('answers several statements of one simple query', async () => {
    const results: unknown = await database.pool.query('select 1 as a; select 2 as b');
    expect(results).toMatchObject([{ rows: [{ a: 1 }] }, { rows: [{ b: 2 }] }]);
  });

  test('reports a wrong statement with its SQLSTATE, and goes on', async () => {
    await expect(database.pool.query('selec 1')).rejects.toMatchObject({ code: '42601' });
    await expect(database.pool.query('select $1::int4', ['x'])).rejects.toMatchObject({ code: '22P02' });
    await expect(sql`select 1/0`.execute(database.db)).rejects.toMatchObject({ code: '22012' });
    await expect(database.ping()).resolves.toBeUndefined();
  });

  test('keeps the rows of a million bytes', async () => {
    const value = randomBytes(1_000_000);
    const { rows } = await database.pool.query('select $1::bytea as value', [value]);
    expect(value.equals(rows[0].value)).toBe(true);
  });

  test('a transaction is all or nothing, and others see it after its commit only', async () => {
    const { db } = database;
    const name = 'transaction.test';
    const seen = db.selectFrom('domains').where('name', '=', name).select('name');
    await expect(
      db.transaction().execute(async (transaction) => {
        await transaction.insertInto('domains').values({ name }).execute();
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await seen.execute()).toEqual([]);

    const client = await database.pool.connect();
    await client.query('begin');
    await client.query('insert into zegel.domains (name) values ($1)', [name]);
    const read = seen.execute();
    await client.query('rollback');
    client.release();
    expect(await read).toEqual([]);
  });

  test('transactions at the same time do not mix', async () => {
    const { db } = database;
    const names = Array.from({ length: 20 }, (_, index) => `mixed-${index}.test`);
    const outcomes = await Promise.allSettled(
      names.map((name, index) =>
        db.transaction().execute(async (transaction) => {
          await transaction.insertInto('domains').values({ name }).execute();
          await sql`select pg_sleep(0)`.execute(transaction);
          if (index % 2 === 1) throw new Error('odd');
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    const kept = await db.selectFrom('domains').where('name', 'like', 'mixed-%').select('name').execute();
    expect(kept.map(({ name }) => name).toSorted()).toEqual(names.filter((_, index) => index % 2 === 0).toSorted());
  });

  test('a statement that fails inside a transaction ends it for that session alone', async () => {
    const client = await database.pool.connect();
    await client.query('begin');
    await expect(client.query('select nothing_like_it')).rejects.toMatchObject({ code: '42703' });
    await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' });
    await client.query('rollback');
    client.release();
    await expect(database.ping()).resolves.toBeUndefined();
  });

  test('a connection destroyed inside a transaction rolls it back', async () => {
    const client = await database.pool.connect();
    await client.query('begin');
    await client.query(`insert into zegel.domains (name) values ('destroyed.test')`);
    client.release(true);
    const rows = await database.db.selectFrom('domains').where('name', '=', 'destroyed.test').selectAll().execute();
    expect(rows).toEqual([]);
  });

  test('notifications reach exactly those who listen', async () => {
    const [listener, other] = [await database.pool.connect(), await database.pool.connect()];
    const strays: unknown[] = [];
    other.on('notification', (message) => strays.push(message));
    await listener.query('-- as BullMQ does it\n-- with two lines\nLISTEN jobs;\n');
    await other.query('LISTEN "Other"');

    const first = once(listener, 'notification');
    await database.pool.query(`select pg_notify('jobs', 'one')`);
    expect((await first)[0]).toMatchObject({ channel: 'jobs', payload: 'one' });

    await other.query('LISTEN jobs');
    await other.query('UNLISTEN jobs');
    const second = once(listener, 'notification');
    await other.query(`NOTIFY jobs, 'two'`);
    expect((await second)[0]).toMatchObject({ channel: 'jobs', payload: 'two' });

    const own = once(other, 'notification');
    await other.query(`select pg_notify('Other', 'mine')`);
    expect((await own)[0]).toMatchObject({ channel: 'Other', payload: 'mine' });
    expect(strays).toHaveLength(1);
    listener.release(true);
    other.release(true);
  });

  test('a notification inside a transaction is sent at its commit', async () => {
    const [listener, sender] = [await database.pool.connect(), await database.pool.connect()];
    const heard: unknown[] = [];
    await listener.query('LISTEN committed');
    listener.on('notification', ({ payload }) => heard.push(payload));
    await sender.query('begin');
    await sender.query(`select pg_notify('committed', 'never')`);
    await sender.query('rollback');
    const arrived = once(listener, 'notification');
    await sender.query('begin');
    await sender.query(`select pg_notify('committed', 'once')`);
    expect(heard).toEqual([]);
    await sender.query('commit');
    await arrived;
    expect(heard).toEqual(['once']);
    listener.release(true);
    sender.release();
  });

  test('the search path is that of BullMQ, and ours is qualified', async () => {
    const { rows } = await database.pool.query(`select current_setting('search_path') as path`);
    expect(rows).toEqual([{ path: 'bullmq' }]);
    expect(database.db.selectFrom('keys').select('id').compile().sql).toBe('select "id" from "zegel"."keys"');
  });

  describe('schema', () => {
    test('a selector stands once in a domain, and keys go with their domain', async () => {
      const { db } = database;
      await db.insertInto('domains').values({ name: 'keys.test' }).execute();
      await db.insertInto('keys').values(key('keys.test', 's1')).execute();
      await expect(db.insertInto('keys').values(key('keys.test', 's1')).execute()).rejects.toMatchObject({
        code: '23505',
      });
      await expect(db.insertInto('keys').values(key('nobody.test', 's1')).execute()).rejects.toMatchObject({
        code: '23503',
      });
      await expect(
        db
          .updateTable('keys')
          .set({ state: 'lost' as 'pending' })
          .execute(),
      ).rejects.toMatchObject({ code: '23514' });
      await db.deleteFrom('domains').where('name', '=', 'keys.test').execute();
      expect(await db.selectFrom('keys').where('domain', '=', 'keys.test').selectAll().execute()).toEqual([]);
    });

    test('a token reads back as it was written', async () => {
      const { db } = database;
      const token = {
        id: randomUUID(),
        name: 'relay',
        secret_hash: randomBytes(32),
        scopes: ['sign', 'verify'],
        domains: ['a.test'],
        expires_at: new Date('2027-01-01T00:00:00Z'),
      };
      await db.insertInto('tokens').values(token).execute();
      const [row] = await db.selectFrom('tokens').where('id', '=', token.id).selectAll().execute();
      expect(row).toMatchObject({ ...token, revoked_at: null, last_used_at: null });
      expect(row?.created_at).toBeInstanceOf(Date);
    });

    test('an inbound message begins with no attempts, and its JSON may be any value', async () => {
      const { db } = database;
      const id = randomUUID();
      const values = { id, received_at: new Date(), message_ref: 'r', message_bytes: 52_428_800 };
      await db
        .insertInto('inbound')
        .values({ ...values, state: 'queued', session: JSON.stringify(['a']) })
        .execute();
      const row = await db.selectFrom('inbound').where('id', '=', id).selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({
        state: 'queued',
        session: ['a'],
        message_bytes: '52428800',
        attempts: 0,
        report: null,
      });
    });
  });
});

test('several processes may migrate a fresh PostgreSQL at once', async () => {
  const url = await server?.createDatabase('race');
  const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ url: url ?? '' })));
  await expect(Promise.all(opened.map((database) => database.ping()))).resolves.toHaveLength(4);
  await Promise.all(opened.map((database) => database.close()));
});
