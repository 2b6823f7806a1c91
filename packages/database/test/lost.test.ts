import { freePort, startPostgres } from '@zegel/test-harness';
import { describe, expect, test } from 'vitest';
import { DatabaseUnavailableError, describeDatabaseError, isDatabaseLost, openDatabase } from '../src/index.ts';

const driverError = (code: string) => Object.assign(new Error('from the server'), { code });

describe('a PostgreSQL that is lost', () => {
  test('is database.unavailable at the start', async () => {
    const url = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
    const opening = openDatabase({ url });
    await expect(opening).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await expect(opening).rejects.toMatchObject({ code: 'database.unavailable' });
  });

  test('is database.unavailable while it is gone, and serves again when it is back', async () => {
    await using server = await startPostgres();
    const database = await openDatabase({ url: server.url });
    await database.ping();
    await server.kill();
    await expect(database.ping()).rejects.toMatchObject({ code: 'database.unavailable' });
    await expect(database.db.selectFrom('domains').selectAll().execute()).rejects.toMatchObject({
      code: 'database.unavailable',
    });
    await server.restart();
    await expect(database.ping()).resolves.toBeUndefined();
    await database.close();
  });

  test('inside a transaction too', async () => {
    await using server = await startPostgres();
    const database = await openDatabase({ url: server.url });
    // The test's server commits without syncing: what the migrations made must outlive the crash.
    await database.pool.query('checkpoint');
    await expect(
      database.db.transaction().execute(async (transaction) => {
        await transaction.insertInto('domains').values({ name: 'a.test' }).execute();
        await server.kill();
        await transaction.insertInto('domains').values({ name: 'b.test' }).execute();
      }),
    ).rejects.toMatchObject({ code: 'database.unavailable' });
    await server.restart();
    expect(await database.db.selectFrom('domains').selectAll().execute()).toEqual([]);
    await database.close();
  });
});

describe('what counts as lost', () => {
  test.each(['08006', '53100', '53300', '57P01', '57P03', '58030', '25006', '25P03'])('SQLSTATE %s does', (code) => {
    expect(describeDatabaseError(driverError(code))).toMatchObject({
      code: 'database.unavailable',
      cause: { code },
    });
  });

  test.each(['23505', '42601', '22P02', '40001', '57014'])('SQLSTATE %s does not', (code) => {
    const error = driverError(code);
    expect(describeDatabaseError(error)).toBe(error);
  });

  test('system errors and the driver’s own do, mistakes of the program do not', () => {
    expect(isDatabaseLost(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }))).toBe(true);
    expect(isDatabaseLost(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBe(true);
    expect(isDatabaseLost(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isDatabaseLost(new TypeError('no'))).toBe(false);
  });
});
