import { once } from 'node:events';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism, getPriority } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { patience, startNode, startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import type { PostgresServer, RedisServer, TemporaryFolder, TestProcess } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { compileCache, launcher } from './zegel.ts';

const hello = readFileSync(fileURLToPath(new URL('../examples/hello.eml', import.meta.url)));
const session = '?ip=127.0.0.1&helo=mail.example.test&mailFrom=alice@example.test';

let postgres: PostgresServer;
let redis: RedisServer;
let folder: TemporaryFolder;
let config: string;
let service: TestProcess;
let url: string;
let token: string;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis({ appendOnly: true })]);
  folder = temporaryFolder('serve');
  config = path.join(folder.path, 'zegel.yaml');
  writeFileSync(config, 'inbound: { policy: annotate }\n');
  service = await startNode(launcher, ['serve', '--config', config, '--data', folder.path, '--listen', '127.0.0.1:0'], {
    env: {
      NODE_COMPILE_CACHE: compileCache,
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
      ZEGEL_JOB_ATTEMPTS: '1',
    },
  });
  url = (await service.waitForLine(/^ +REST API +http/)).replace(/^ +REST API +/, '');
  await service.waitForLine(/"msg":"started"/);
  token = readFileSync(path.join(folder.path, 'admin-token'), 'utf8').trim();
});
afterAll(async () => {
  await service.kill('SIGKILL');
  await Promise.all([postgres.stop(), redis.stop()]);
  folder.remove();
});

async function ask(route: string, options: { body?: Buffer; accept?: string; method?: string } = {}) {
  const { body, accept = 'application/json', method = body === undefined ? 'GET' : 'POST' } = options;
  const response = await fetch(`${url}${route}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, Accept: accept, 'Content-Type': 'message/rfc822' },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}
// oxlint-disable-next-line typescript/no-explicit-any -- a wrong guess about its shape fails the test that made it
const json = ({ bytes }: { readonly bytes: Buffer }): any => JSON.parse(bytes.toString());
const hookAction = async () => json(await ask('/checkv2?mode=verify', { body: hello })).action;
const signHello = async () => (await ask('/v1/sign', { body: hello, accept: 'message/rfc822' })).bytes;
const threads = () =>
  readdirSync(`/proc/${service.pid}/task`).map((id) => ({
    name: readFileSync(`/proc/${service.pid}/task/${id}/comm`, 'utf8').trim(),
    niceness: getPriority(Number(id)),
  }));
const isOfPool = ({ name }: { readonly name: string }) => name === 'libuv-worker';
const stateOf = async (id: string) => json(await ask(`/v1/inbound/${id}`));

describe('zegel serve on Redis and PostgreSQL', () => {
  test('has a thread of the pool for each core: nothing uses the pool before it has its size', () => {
    const cores = availableParallelism();
    expect(threads().filter(isOfPool)).toHaveLength(cores === 1 ? 4 : cores);
  });

  test('lets the event loop go before the threads of the pool, and nothing else', () => {
    const own = getPriority(service.pid);
    const ofPool = availableParallelism() === 1 ? own : Math.min(own + 3, 19);
    for (const thread of threads()) expect(thread.niceness).toBe(isOfPool(thread) ? ofPool : own);
  });

  test('signs for the demo domain, and verifies to pass with both keys, SPF and DMARC', async () => {
    const { status, bytes } = await ask(`/v1/verify${session}`, { body: await signHello() });
    expect(status).toBe(200);
    expect(json({ bytes })).toMatchObject({
      dkim: [
        { result: 'pass', algorithm: 'rsa-sha256' },
        { result: 'pass', algorithm: 'ed25519-sha256' },
      ],
      spf: { mailFrom: { result: 'pass' } },
      dmarc: { result: 'pass' },
    });
  });

  test('a message that is handed in comes out verified', async () => {
    const signed = await signHello();
    const { status, bytes } = await ask(`/v1/inbound${session}`, { body: signed });
    expect(status).toBe(202);
    const { id } = json({ bytes });
    await vi.waitFor(async () => expect((await stateOf(id)).state).toBe('done'), patience);
    expect((await stateOf(id)).report.dmarc.result).toBe('pass');
    const result = await ask(`/v1/inbound/${id}/message`);
    expect(result.bytes.toString()).toMatch(/^Authentication-Results: [^]*dkim=pass[^]*\r\nDKIM-Signature:/);
    expect(result.bytes.subarray(-signed.length).equals(signed)).toBe(true);
  });

  test('a message store that goes away is 503, and all is well when it is back', async () => {
    const messages = path.join(folder.path, 'messages');
    const rows = readdirSync(messages).length;
    renameSync(messages, `${messages}-away`);
    const { status, bytes } = await ask('/v1/inbound', { body: hello });
    expect([status, json({ bytes }).code]).toEqual([503, 'message-store.unavailable']);
    renameSync(`${messages}-away`, messages);
    expect(readdirSync(messages)).toHaveLength(rows);
    expect((await ask('/v1/inbound', { body: hello })).status).toBe(202);
  });

  test('the hooks of mail servers follow a configuration that is read anew at SIGHUP', async () => {
    expect(await hookAction()).toBe('no action');
    writeFileSync(config, 'inbound: { policy: enforce }\n');
    process.kill(service.pid, 'SIGHUP');
    await vi.waitFor(async () => expect(await hookAction()).toBe('reject'), patience);
    writeFileSync(config, 'inbound: { policy: sometimes }\n');
    process.kill(service.pid, 'SIGHUP');
    await service.waitForLine(/the one before stays/);
    expect(await hookAction()).toBe('reject');
  });

  test('asked to stop it answers the request in work, cuts the idle connection, and ends with 0', async () => {
    const { hostname, port } = new URL(url);
    const idle = connect(Number(port), hostname);
    await once(idle, 'connect');
    idle.on('error', () => undefined).resume();
    const busy = connect(Number(port), hostname);
    let answer = '';
    busy.on('data', (chunk) => (answer += chunk.toString('latin1')));
    const head = [
      'POST /v1/sign HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${token}`,
      'Content-Type: message/rfc822',
    ];
    busy.write([...head, `Content-Length: ${hello.length}`, 'Expect: 100-continue', '', ''].join('\r\n'));
    await vi.waitFor(() => expect(answer).toContain('100 Continue'), patience);
    busy.write(hello.subarray(0, 100));
    process.kill(service.pid, 'SIGTERM');
    await service.waitForLine(/"msg":"stopping"/);
    await once(idle, 'close');
    busy.write(hello.subarray(100));
    await once(busy, 'close');
    expect(answer).toMatch(/HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/^Connection: close\r$/im);
    expect(await service.exited).toEqual({ status: 0, signal: null });
    for (const secret of [token, 'alice', 'mailFrom', 'PRIVATE KEY']) {
      const log = service.output().slice(service.output().indexOf('Ctrl-C stops it.'));
      expect(log).not.toContain(secret);
    }
  });
});
