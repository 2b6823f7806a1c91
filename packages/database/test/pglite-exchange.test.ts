import { PGlite } from '@electric-sql/pglite';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { isDatabaseLost } from '../src/index.ts';
import { TRANSACTION_IDLE_LIMIT } from '../src/limits.ts';
import { PgliteExchange } from '../src/pglite-exchange.ts';

describe('sessions on one PGlite', () => {
  let pglite: PGlite;
  let pool: Pool;

  beforeAll(async () => {
    pglite = await PGlite.create('memory://');
    const exchange = new PgliteExchange(pglite);
    pool = new Pool({ user: 'postgres', stream: () => exchange.open() });
    pool.on('connect', (client) => client.on('error', () => undefined));
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  afterAll(async () => {
    await pool.end();
    await pglite.close();
  });

  test('one that idles inside a transaction is closed, and the others go on', async () => {
    const [idler, other] = [await pool.connect(), await pool.connect()];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await idler.query('begin');
    await idler.query('create table idle (a int)');
    const waiting = other.query(`select to_regclass('idle') as found`);
    await vi.advanceTimersByTimeAsync(TRANSACTION_IDLE_LIMIT - 1);
    await idler.query('select 1');
    await vi.advanceTimersByTimeAsync(TRANSACTION_IDLE_LIMIT - 1);
    await idler.query('select 1');
    await vi.advanceTimersByTimeAsync(TRANSACTION_IDLE_LIMIT);
    expect((await waiting).rows).toEqual([{ found: null }]);
    await expect(idler.query('select 1')).rejects.toSatisfy(isDatabaseLost);
    idler.release(true);
    other.release();
  });

  test('a session that goes while it waits takes its request with it', async () => {
    const [holder, waiter] = [await pool.connect(), await pool.connect()];
    await holder.query('begin');
    const waiting = waiter.query('create table never (a int)');
    waiting.catch(() => undefined);
    waiter.release(true);
    await expect(waiting).rejects.toThrow('Connection terminated');
    await holder.query('commit');
    expect((await holder.query(`select to_regclass('never') as found`)).rows).toEqual([{ found: null }]);
    holder.release();
  });

  test('a PGlite that stops is a lost database, now and later', async () => {
    vi.spyOn(pglite, 'execProtocolRaw').mockRejectedValueOnce(new Error('unreachable'));
    await expect(pool.query('select 1')).rejects.toSatisfy(isDatabaseLost);
    await expect(pool.query('select 1')).rejects.toMatchObject({ code: '58000' });
  });
});
