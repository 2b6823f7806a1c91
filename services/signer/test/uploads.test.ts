import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { findProgram, patience, runToEnd, temporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { call, hello, startTestSigner } from './test-signer.ts';
import type { TestSigner } from './test-signer.ts';

const MB = 1_000_000;
let signer: TestSigner;
beforeAll(async () => {
  signer = await startTestSigner();
  await signer.addDomain('example.test', ['ed25519-sha256']);
});
afterAll(() => signer[Symbol.asyncDispose]());

/** Talks HTTP by hand, to be as rude as a test needs. */
async function open(head: readonly string[], to = signer) {
  const socket = connect(to.port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.write(`${[...head, 'Host: x', `Authorization: Bearer ${to.admin}`].join('\r\n')}\r\n\r\n`);
  const waitFor = (pattern: RegExp) => vi.waitFor(() => expect(received).toMatch(pattern), patience);
  return { socket, received: () => received, waitFor };
}
const post = ['POST /v1/sign HTTP/1.1', 'Content-Type: message/rfc822'];

describe('a message of 60 MB', () => {
  const large = Buffer.concat([hello, Buffer.alloc(60 * MB, 'x')]);

  test.each(['sign', 'verify', 'inbound'])('413 from /v1/%s, read by a client that writes first', async (route) => {
    const { status, json } = await call(`${signer.url}/v1/${route}`, { token: signer.admin, body: large });
    expect([status, json.code]).toEqual([413, 'message.too-large']);
  });

  test.each([
    ['as curl sends it, which waits for 100 Continue', []],
    ['without waiting', ['-H', 'Expect:']],
    ['chunked', ['-H', 'Transfer-Encoding: chunked']],
    ['chunked and without waiting', ['-H', 'Transfer-Encoding: chunked', '-H', 'Expect:']],
  ])('413 that curl can read: %s', async (_how, more) => {
    using folder = temporaryFolder('upload');
    const file = path.join(folder.path, 'large.eml');
    const answer = path.join(folder.path, 'answer.json');
    await writeFile(file, large);
    const curl = findProgram('curl', ['curl'], ['/usr/bin']);
    const quiet = ['-sS', '-o', answer, '-w', '%{http_code} %{content_type}'];
    const fields = ['-H', `Authorization: Bearer ${signer.admin}`, '-H', 'Content-Type: message/rfc822', ...more];
    const out = await runToEnd(curl, [...quiet, ...fields, '--data-binary', `@${file}`, `${signer.url}/v1/sign`]);
    expect(out).toBe('413 application/problem+json');
    expect(existsSync(answer)).toBe(true);
  });

  test('is refused by its length, before any of it is sent', async () => {
    const { socket, waitFor, received } = await open([...post, `Content-Length: ${60 * MB}`, 'Expect: 100-continue']);
    await waitFor(/^HTTP\/1\.1 413 [^]*message\.too-large/);
    expect(received()).toMatch(/^Connection: close\r$/im);
    expect(received()).not.toContain('100 Continue');
    socket.destroy();
  });
});

const chunk = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

describe('a connection goes on', () => {
  const chunked = [...post, 'Transfer-Encoding: chunked'];

  test('after a body that was refused in its middle: the rest of it flows by', async () => {
    const limits = { ZEGEL_MAX_MESSAGE_BYTES: '100000' };
    await using small = await startTestSigner({ env: limits });
    await small.addDomain('example.test', ['ed25519-sha256']);
    const { socket, waitFor, received } = await open(chunked, small);
    for (let sent = 0; sent < 3; sent++) socket.write(chunk(Buffer.alloc(60_000, 'x')));
    await waitFor(/^HTTP\/1\.1 413 [^]*message\.too-large/);
    socket.write(chunk(Buffer.alloc(60_000, 'x')));
    socket.write('0\r\n\r\n');
    const head = [...post, `Content-Length: ${hello.length}`, 'Host: x', `Authorization: Bearer ${small.admin}`];
    socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), hello]));
    await waitFor(/HTTP\/1\.1 200 [^]*"result":"signed"/);
    expect(received().match(/HTTP\/1\.1 /g)?.length).toBe(2);
    socket.destroy();
  });

  test('after requests that came in one piece, each answered in its turn', async () => {
    const { socket, waitFor, received } = await open([...post, 'Content-Length: 0']);
    const head = [...post, `Content-Length: ${hello.length}`, 'Host: x', `Authorization: Bearer ${signer.admin}`];
    const whole = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), hello]);
    socket.write(Buffer.concat([whole, whole]));
    await waitFor(/"result":"signed"[^]*"result":"signed"/);
    expect(received().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 422', 'HTTP/1.1 200', 'HTTP/1.1 200']);
    socket.destroy();
  });

  test('with a body that comes octet by octet, and one of nothing but its end', async () => {
    const { socket, waitFor, received } = await open(chunked);
    for (const octet of hello) socket.write(chunk(Buffer.of(octet)));
    socket.write('0\r\n\r\n');
    await waitFor(/^HTTP\/1\.1 200 [^]*"result":"signed"/);
    const head = [...chunked, 'Host: x', `Authorization: Bearer ${signer.admin}`];
    socket.write(`${head.join('\r\n')}\r\n\r\n0\r\n\r\n`);
    await waitFor(/HTTP\/1\.1 422 /);
    expect(received().match(/HTTP\/1\.1 /g)?.length).toBe(2);
    socket.destroy();
  });
});

describe('Expect: 100-continue', () => {
  test('a body that is wanted is invited', async () => {
    const { socket, waitFor, received } = await open([
      ...post,
      `Content-Length: ${hello.length}`,
      'Expect: 100-continue',
    ]);
    await waitFor(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    socket.write(hello);
    await waitFor(/HTTP\/1\.1 200 /);
    expect(received()).toContain('"result":"signed"');
    socket.destroy();
  });

  test.each([
    [
      'without a good token',
      401,
      ['POST /v1/sign HTTP/1.1', 'Content-Type: message/rfc822', 'Authorization: Bearer no'],
    ],
    ['of the wrong type', 415, ['POST /v1/sign HTTP/1.1', 'Content-Type: application/json']],
    ['for a route that is not there', 404, ['POST /v1/seal HTTP/1.1']],
  ])('a body is not invited %s', async (_what, status, head) => {
    const { socket, received, waitFor } = await open([...head, 'Content-Length: 1000', 'Expect: 100-continue']);
    await waitFor(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(received()).not.toContain('100 Continue');
    socket.destroy();
  });
});

describe('what may be in work at once', () => {
  let small: TestSigner;
  beforeAll(async () => {
    const limits = { ZEGEL_MAX_MESSAGE_BYTES: String(5 * MB), ZEGEL_MAX_INFLIGHT_BYTES: String(6 * MB) };
    small = await startTestSigner({ env: limits });
    await small.addDomain('example.test', ['ed25519-sha256']);
  });
  afterAll(() => small[Symbol.asyncDispose]());

  const sendTo = (bytes: number) =>
    call(`${small.url}/v1/sign`, { token: small.admin, body: Buffer.concat([hello, Buffer.alloc(bytes, 'y')]) });

  const inWork = (bytes: number, at = small) =>
    vi.waitFor(
      async () => expect(await at.metrics()).toMatch(new RegExp(`^zegel_http_message_bytes ${bytes}$`, 'm')),
      patience,
    );

  test('a message that does not fit beside those in work is 503 with Retry-After; later it fits', async () => {
    const { socket, waitFor } = await open([...post, `Content-Length: ${4 * MB}`], small);
    socket.write(Buffer.alloc(4 * MB - 1, 'x'));
    await inWork(4 * MB - 1);
    const refused = await sendTo(3 * MB);
    expect(refused.status).toBe(503);
    expect(refused.json.code).toBe('http.busy');
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    socket.write('x');
    await waitFor(/HTTP\/1\.1 422 /);
    socket.destroy();
    await inWork(0);
    expect((await sendTo(3 * MB)).status).toBe(200);
  });

  test('a message counts until its answer is read', async () => {
    const limits = { ZEGEL_MAX_MESSAGE_BYTES: String(25 * MB), ZEGEL_MAX_INFLIGHT_BYTES: String(30 * MB) };
    await using large = await startTestSigner({ env: limits });
    await large.addDomain('example.test', ['ed25519-sha256']);
    const raw = Buffer.concat([hello, Buffer.alloc(20 * MB, 'x')]);
    const socket = connect(large.port, '127.0.0.1');
    const head = [...post, 'Host: x', `Authorization: Bearer ${large.admin}`, 'Accept: message/rfc822'];
    socket.write(`${[...head, `Content-Length: ${raw.length}`].join('\r\n')}\r\n\r\n`);
    socket.write(raw);
    await once(socket, 'readable');
    expect(await large.metrics()).toMatch(new RegExp(`^zegel_http_message_bytes ${raw.length}$`, 'm'));
    const refused = await call(`${large.url}/v1/verify`, { token: large.admin, body: raw });
    expect([refused.status, refused.json.code]).toEqual([503, 'http.busy']);
    socket.resume();
    await inWork(0, large);
    socket.destroy();
  });

  test('a token has a half of the room, and cannot keep another out', async () => {
    const limits = { ZEGEL_MAX_MESSAGE_BYTES: String(2 * MB), ZEGEL_MAX_INFLIGHT_BYTES: String(8 * MB) };
    await using shared = await startTestSigner({ env: limits });
    await shared.addDomain('example.test', ['ed25519-sha256']);
    const body = Buffer.concat([hello, Buffer.alloc(MB, 'y')]);
    const sign = async (token: string) => {
      const { status, json } = await call(`${shared.url}/v1/sign`, { token, body });
      return [status, json.code];
    };
    const stalled = [];
    for (let count = 1; count <= 2; count++) {
      const { socket } = await open([...post, `Content-Length: ${2 * MB}`], shared);
      socket.write(Buffer.alloc(2 * MB - 1, 'x'));
      stalled.push(socket);
      await inWork(count * (2 * MB - 1), shared);
    }
    expect(await sign(shared.admin)).toEqual([503, 'http.busy']);
    expect(await sign(await shared.token(['sign']))).toEqual([200, 'signing.signed']);
    for (const socket of stalled) socket.destroy();
    await inWork(0, shared);
    expect(await sign(shared.admin)).toEqual([200, 'signing.signed']);
  });

  test('an upload that is given up no longer counts, is logged as such, and leaves nothing behind', async () => {
    const aborted = () => small.log().match(/"status":499/g)?.length ?? 0;
    const before = aborted();
    const head = ['POST /v1/inbound HTTP/1.1', 'Content-Type: message/rfc822', `Content-Length: ${5 * MB}`];
    const { socket } = await open(head, small);
    socket.write(Buffer.alloc(4 * MB, 'x'), () => socket.destroy());
    await vi.waitFor(() => expect(aborted()).toBe(before + 1), patience);
    expect((await sendTo(4 * MB)).status).toBe(200);
    expect(await small.database.db.selectFrom('inbound').select('id').execute()).toEqual([]);
  });
});

describe('bodies that are not plain bytes', () => {
  test.each(['gzip', 'deflate, gzip', 'br'])('Content-Encoding: %s is 415', async (encoding) => {
    const headers = { 'Content-Encoding': encoding };
    const { status, json } = await call(`${signer.url}/v1/verify`, { token: signer.admin, body: hello, headers });
    expect([status, json.code]).toEqual([415, 'http.content-encoding']);
    expect(json.advice).toBeTypeOf('string');
  });

  test('Content-Encoding: identity is none', async () => {
    const headers = { 'Content-Encoding': 'identity' };
    expect((await call(`${signer.url}/v1/sign`, { token: signer.admin, body: hello, headers })).status).toBe(200);
  });

  test('a transfer coding besides chunked is 501', async () => {
    const { socket, waitFor, received } = await open([...post, 'Transfer-Encoding: gzip, chunked']);
    socket.write('0\r\n\r\n');
    await waitFor(/^HTTP\/1\.1 501 /);
    expect(received()).toContain('http.transfer-encoding');
    socket.destroy();
  });

  test.each(['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain'])(
    'Content-Type: %s is 415 with advice',
    async (type) => {
      const { status, json } = await call(`${signer.url}/v1/sign`, { token: signer.admin, body: '{"from":"a"}', type });
      expect([status, json.code]).toEqual([415, 'http.media-type']);
      expect(json.advice).toContain('message/rfc822');
    },
  );

  test('a type in capitals and with parameters is the same type', async () => {
    const type = 'Message/RFC822; charset=utf-8';
    expect((await call(`${signer.url}/v1/sign`, { token: signer.admin, body: hello, type })).status).toBe(200);
  });
});
