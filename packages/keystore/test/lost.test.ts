import { randomBytes } from 'node:crypto';
import { openDatabase } from '@zegel/database';
import type { Database } from '@zegel/database';
import { startPostgres } from '@zegel/test-harness';
import type { PostgresServer } from '@zegel/test-harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadMasterKey, openKeystore } from '../src/index.ts';
import type { Keystore } from '../src/index.ts';

const lost = expect.objectContaining({ code: 'database.unavailable' });

let server: PostgresServer;
let database: Database;
let keystore: Keystore;
let clock = new Date('2026-01-01T00:00:00Z');

const pass = (milliseconds: number): void => void (clock = new Date(clock.getTime() + milliseconds));

beforeAll(async () => {
  server = await startPostgres();
  database = await openDatabase({ url: await server.createDatabase('lost') });
  const masterKey = await loadMasterKey({ value: randomBytes(32).toString('base64') });
  keystore = await openKeystore({ database, masterKey, now: () => clock });
});

afterAll(async () => {
  await database.close();
  await server.stop();
});

test('while the database is away: what is remembered serves, the rest says so; afterwards all is well', async () => {
  await keystore.domains.create('example.org');
  const key = await keystore.keys.create('example.org', { selector: 's1', algorithm: 'ed25519-sha256' });
  await keystore.keys.changeState(key.id, 'published');
  await keystore.keys.changeState(key.id, 'active');
  const { secret } = await keystore.tokens.create({ name: 'mta', scopes: ['sign'] });
  await keystore.tokens.verify(secret);
  pass(55_000);
  await keystore.tokens.verify(secret);
  await keystore.activeKeys('example.org');

  // A clean shutdown: the test server syncs nothing, so a crash would lose what was just written.
  await server.kill('SIGINT');
  // The last use is due to be noted and cannot be: that costs the token nothing.
  pass(6_000);
  expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: true });
  expect(await keystore.activeKeys('example.org')).toHaveLength(1);
  await expect(keystore.activeKeys('example.net')).rejects.toEqual(lost);
  await expect(keystore.domains.create('example.net')).rejects.toEqual(lost);
  pass(10_000);
  // Nobody can say any more that they are not revoked.
  await expect(keystore.tokens.verify(secret)).rejects.toEqual(lost);
  await expect(keystore.activeKeys('example.org')).rejects.toEqual(lost);

  await server.restart();
  expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: true });
  expect(await keystore.activeKeys('example.org')).toHaveLength(1);
});
