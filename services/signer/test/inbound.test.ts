import { readdirSync } from 'node:fs';
import path from 'node:path';
import { authenticate, authenticationContextSchema } from '@zegel/authentication';
import { openDatabase } from '@zegel/database';
import { ZoneResolver } from '@zegel/dns';
import { FileMessageStore, startInboundWorker } from '@zegel/mail-queue';
import type { ProcessMessage } from '@zegel/mail-queue';
import { editMessageStream } from '@zegel/message';
import { freePort, patience, startPostgres, startRedis } from '@zegel/test-harness';
import type { PostgresServer } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { mountSmallDisk } from './full-disk.ts';
import { call, hello, message, startTestSigner } from './test-signer.ts';
import type { TestSigner } from './test-signer.ts';

const session = '?ip=192.0.2.1&helo=h.test&mailFrom=alice@example.test';
const submit = (signer: TestSigner, body: Buffer = hello) =>
  call(`${signer.url}/v1/inbound${session}`, { token: signer.admin, body });
const look = (signer: TestSigner, id: string) => call(`${signer.url}/v1/inbound/${id}`, { token: signer.admin });
const fetchResult = (signer: TestSigner, id: string) =>
  call(`${signer.url}/v1/inbound/${id}/message`, { token: signer.admin });
const retry = (signer: TestSigner, id: string) =>
  call(`${signer.url}/v1/inbound/${id}/retry`, { token: signer.admin, method: 'POST' });
const remove = (signer: TestSigner, id: string) =>
  call(`${signer.url}/v1/inbound/${id}`, { token: signer.admin, method: 'DELETE' });
const rows = async ({ database }: TestSigner) =>
  (await database.db.selectFrom('inbound').select('id').execute()).length;
const files = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

/** What the worker of @zegel/verifier does; a service does not import another one. */
const verify =
  (signer: TestSigner): ProcessMessage =>
  async ({ session: given, open }) => {
    const { report, edits } = await authenticate(open(), authenticationContextSchema.parse(given), {
      resolver: new ZoneResolver(signer.zone),
      authservId: 'mx.receiver.test',
    });
    return { report, result: editMessageStream(open(), edits) };
  };

let postgres: PostgresServer;
beforeAll(async () => void (postgres = await startPostgres()));
afterAll(() => postgres.stop());
let databases = 0;
/** A database of the test's own, made faster than a PGlite. */
const freshDatabase = async () => openDatabase({ url: await postgres.createDatabase(`inbound_${(databases += 1)}`) });

describe('on PGlite', () => {
  test('a message goes from queued to done, and its report and result are fetched', async () => {
    await using signer = await startTestSigner();
    await signer.addDomain('example.test', ['ed25519-sha256']);
    const signed = await call(`${signer.url}/v1/sign`, {
      token: signer.admin,
      body: hello,
      headers: { Accept: 'message/rfc822' },
    });
    const forged = Buffer.from('Authentication-Results: mx.receiver.test; dkim=pass\r\n');
    const accepted = await submit(signer, Buffer.concat([forged, signed.bytes]));
    expect(accepted.status).toBe(202);
    const { id } = accepted.json;
    expect(accepted.json).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), state: 'queued' });
    expect(accepted.headers.get('location')).toBe(`/v1/inbound/${id}`);

    expect((await look(signer, id)).json).toMatchObject({ id, state: 'queued', report: null, error: null });
    const early = await fetchResult(signer, id);
    expect([early.status, early.json.code]).toEqual([409, 'inbound.not-done']);
    expect(early.headers.get('retry-after')).toBe('1');

    const { database, store } = signer;
    const worker = await startInboundWorker({ database, store, process: verify(signer) });
    const done = await vi.waitFor(async () => {
      const answer = await look(signer, id);
      expect(answer.json.state).toBe('done');
      return answer.json;
    }, patience);
    expect(done).toMatchObject({ attempts: 1, bytes: forged.length + signed.bytes.length });
    expect(done.report.dkim).toMatchObject([{ result: 'pass', domain: 'example.test' }]);
    const result = await fetchResult(signer, id);
    expect(result.headers.get('content-type')).toBe('message/rfc822');
    expect(result.bytes.toString('latin1')).toMatch(/^Authentication-Results: mx\.receiver\.test;[^]*dkim=pass/);
    expect(result.bytes.toString('latin1').match(/^Authentication-Results:/gm)).toHaveLength(1);
    expect(result.bytes.subarray(-signed.bytes.length).equals(signed.bytes)).toBe(true);

    const again = await retry(signer, id);
    expect([again.status, again.json.code]).toEqual([409, 'inbound.not-parked']);
    await worker.close();

    expect((await remove(signer, id)).status).toBe(204);
    for (const ask of [look, fetchResult, remove]) expect((await ask(signer, id)).status).toBe(404);
    const waiting = await submit(signer);
    const refused = await remove(signer, waiting.json.id);
    expect([refused.status, refused.json.code]).toEqual([409, 'inbound.in-work']);
    expect((await look(signer, waiting.json.id)).status).toBe(200);
  });
});

describe('on PostgreSQL', () => {
  test('a parked message says why, and goes on after a retry', async () => {
    await using signer = await startTestSigner({ database: await freshDatabase() });
    const { database, store } = signer;
    let isBroken = true;
    const worker = await startInboundWorker({
      database,
      store,
      attempts: 1,
      process: (given) => {
        if (isBroken) throw Object.assign(new Error('secret-detail'), { code: 'test.broken' });
        return verify(signer)(given);
      },
    });
    const { id } = (await submit(signer)).json;
    await vi.waitFor(async () => {
      expect((await look(signer, id)).json).toMatchObject({ state: 'parked', error: { code: 'test.broken' } });
    }, patience);
    const parked = await fetchResult(signer, id);
    expect([parked.status, parked.json.code]).toEqual([409, 'inbound.not-done']);
    expect(parked.headers.get('retry-after')).toBeNull();
    isBroken = false;
    expect((await retry(signer, id)).status).toBe(202);
    await vi.waitFor(async () => expect((await look(signer, id)).json.state).toBe('done'), patience);
    await worker.close();
  });

  test('what is parked is listed in pages, oldest first, while some of it is put back', async () => {
    await using signer = await startTestSigner({ database: await freshDatabase() });
    const { database, store } = signer;
    const worker = await startInboundWorker({
      database,
      store,
      attempts: 1,
      concurrency: 1,
      process: async () => {
        throw Object.assign(new Error('broken'), { code: 'test.broken' });
      },
    });
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { id } = (await submit(signer)).json;
      ids.push(id);
      await vi.waitFor(async () => expect((await look(signer, id)).json.state).toBe('parked'), patience);
    }
    await worker.close();
    const list = async (query: string) =>
      (await call(`${signer.url}/v1/inbound${query}`, { token: await signer.token(['inbound']) })).json;

    const first = await list('?state=parked&limit=2');
    const error = { code: 'test.broken', text: 'broken' };
    expect(first.items).toMatchObject(ids.slice(0, 2).map((id) => ({ id, state: 'parked', attempts: 1, error })));
    for (const id of ids.slice(0, 2)) await retry(signer, id);
    expect(await list(`?state=parked&limit=2&after=${first.next}`)).toMatchObject({
      items: [{ id: ids[2], bytes: hello.length }],
      next: null,
    });
    expect((await list('?state=queued')).items).toHaveLength(2);
    expect(await list('?state=done')).toEqual({ items: [], next: null });
    for (const query of ['', '?state=', '?state=lost', '?state=parked&state=done']) {
      expect([query, (await list(query)).code]).toEqual([query, 'http.parameter']);
    }
  });

  test('NUL bytes and what JSON cannot hold in the envelope are taken', async () => {
    await using signer = await startTestSigner({ database: await freshDatabase() });
    const url = `${signer.url}/v1/inbound?mailFrom=%00%ff@example.test&helo=%00`;
    const { status } = await call(url, { token: signer.admin, body: message('From: a@example.test', '', '\0') });
    expect(status).toBe(202);
  });

  test('an id that nobody has is 404, whatever it looks like', async () => {
    await using signer = await startTestSigner({ database: await freshDatabase() });
    for (const id of [
      '00000000-0000-4000-8000-000000000000',
      'x',
      '..%2f..%2fetc%2fpasswd',
      '%00',
      'x'.repeat(2_000),
    ]) {
      for (const ask of [look, fetchResult, retry, remove]) {
        const { status, json } = await ask(signer, id);
        expect([id, status, json.code]).toEqual([id, 404, 'inbound.unknown']);
      }
    }
  });

  test('a full queue is 503 with Retry-After, and nothing is kept', async () => {
    await using signer = await startTestSigner({ database: await freshDatabase(), env: { ZEGEL_MAX_QUEUED: '2' } });
    for (let n = 0; n < 2; n += 1) expect((await submit(signer)).status).toBe(202);
    const { status, json, headers } = await submit(signer);
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'queue.full', '30']);
    expect(await rows(signer)).toBe(2);
  });

  test('a full disk is 503 with Retry-After, no file and no row is left, and it works again with room', async () => {
    await using disk = await mountSmallDisk(4);
    const messages = path.join(disk.folder, 'messages');
    await using signer = await startTestSigner({
      database: await freshDatabase(),
      store: new FileMessageStore(messages),
    });
    const large = Buffer.concat([hello, Buffer.alloc(1_000_000, 'x')]);
    expect((await submit(signer, large)).status).toBe(202);
    const free = disk.fill();
    const { status, json, headers } = await submit(signer, large);
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'message-store.full', '30']);
    expect(json.detail).toContain('Nothing of this request was kept');
    expect(files(messages)).toHaveLength(1);
    expect(await rows(signer)).toBe(1);
    free();
    expect((await submit(signer, large)).status).toBe(202);
  });

  test('a database that is gone is 503, for tokens too, and readiness says so', async () => {
    await using signer = await startTestSigner({ database: await freshDatabase() });
    await signer.database.close();
    const { status, json, headers } = await submit(signer);
    expect([status, headers.get('retry-after')]).toEqual([503, '5']);
    expect(json.code).toMatch(/^(?:database|queue)\.unavailable$/);
    const ready = await call(`${signer.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(ready.json).toMatchObject({ ready: false, checks: [{ name: 'database', ok: false }, {}] });
    expect((await call(`${signer.url}/healthz`)).status).toBe(200);
  });
});

describe('on Redis and PostgreSQL', () => {
  test('Redis gone in the middle is 503, nothing is kept, signing goes on; all is well when it is back', async () => {
    await using redis = await startRedis({ appendOnly: true });
    const database = await freshDatabase();
    await using signer = await startTestSigner({ database, env: { REDIS_URL: redis.url } });
    await signer.addDomain('example.test');
    const before = await submit(signer);
    expect(before.status).toBe(202);

    await redis.kill();
    for (let n = 0; n < 3; n += 1) {
      const { status, json, headers } = await submit(signer);
      expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'queue.unavailable', '5']);
    }
    expect(await rows(signer)).toBe(1);
    expect((await call(`${signer.url}/v1/sign`, { token: signer.admin, body: hello })).status).toBe(200);
    expect((await look(signer, before.json.id)).status).toBe(200);
    const ready = await call(`${signer.url}/readyz`);
    expect([ready.status, ready.json.ready]).toEqual([200, true]);
    expect(ready.json.checks).toContainEqual({
      name: 'inbound queue',
      required: false,
      ok: false,
      code: 'queue.unavailable',
    });

    await redis.restart();
    const after = await vi.waitFor(async () => {
      const answer = await submit(signer);
      expect(answer.status).toBe(202);
      return answer;
    }, patience);
    const { store } = signer;
    const worker = await startInboundWorker({ database, store, redisUrl: redis.url, process: verify(signer) });
    for (const { json } of [before, after]) {
      await vi.waitFor(async () => expect((await look(signer, json.id)).json.state).toBe('done'), patience);
    }
    await worker.close();
  });

  test('PostgreSQL gone in the middle is 503; a key that was just used still signs', async () => {
    await using server = await startPostgres();
    const database = await openDatabase({ url: server.url });
    const env = { REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    await using signer = await startTestSigner({ database, env });
    await signer.addDomain('example.test', ['ed25519-sha256']);
    const sign = () => call(`${signer.url}/v1/sign`, { token: signer.admin, body: hello });
    expect((await sign()).status).toBe(200);
    await server.kill();
    expect((await sign()).status).toBe(200);
    const { status, json } = await look(signer, '00000000-0000-4000-8000-000000000000');
    expect([status, json.code]).toEqual([503, 'database.unavailable']);
    expect(json.detail).not.toContain(String(server.port));
    expect(signer.log()).not.toContain('an error nobody expected');
  });
});
