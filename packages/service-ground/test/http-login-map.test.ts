import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHttpLoginMap, groundLimits } from '../src/index.ts';

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  answer(request, response);
});
let url: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  url = `http://127.0.0.1:${address.port}/authors/{login}`;
});

beforeEach(() => {
  asked.length = 0;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const json = (value: unknown, status = 200) => {
  answer = (_request, response) => response.writeHead(status).end(JSON.stringify(value));
};

const map = (options: { token?: string; now?: () => number; timeoutMs?: number } = {}) =>
  createHttpLoginMap({ url, timeoutMs: 5000, cacheMs: 1000, ...options });

describe('a map of logins over HTTP', () => {
  test('is asked for the login, percent-encoded, with its token', async () => {
    let authorization: string | undefined;
    answer = (request, response) => {
      ({ authorization } = request.headers);
      response.end(JSON.stringify({ authors: ['ann@example.org', 'example.net'] }));
    };
    expect(await map({ token: 't0ken' }).entriesOf('ann/x@example.org')).toEqual(['ann@example.org', 'example.net']);
    expect(asked).toEqual(['/authors/ann%2Fx%40example.org']);
    expect(authorization).toBe('Bearer t0ken');
  });

  test('answers a list, one author, nobody, or that the login is not known', async () => {
    json(['example.org']);
    expect(await map().entriesOf('a')).toEqual(['example.org']);
    json({ authors: '*' });
    expect(await map().entriesOf('a')).toEqual(['*']);
    json([]);
    expect(await map().entriesOf('a')).toEqual([]);
    json({}, 404);
    expect(await map().entriesOf('a')).toBeNull();
  });

  test('is asked once for as long as the answer holds, and once by many at a time', async () => {
    json(['example.org']);
    let now = 0;
    const logins = map({ now: () => now });
    await Promise.all([logins.entriesOf('a'), logins.entriesOf('a'), logins.entriesOf('a')]);
    now = 999;
    await logins.entriesOf('a');
    expect(asked).toHaveLength(1);
    now = 1000;
    await logins.entriesOf('a');
    expect(asked).toHaveLength(2);
  });

  test.each<[string, () => void]>([
    ['another status', () => json([], 500)],
    ['a status of success without an answer', () => json([], 204)],
    ['something else than authors', () => json({ authors: [3] })],
    ['an author that is none', () => json(['not a domain'])],
    ['no JSON', () => (answer = (_request, response) => response.end('<html>'))],
    ['a redirect', () => (answer = (_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end())],
    ['an end in the middle', () => (answer = (request) => request.socket.destroy())],
    ['too many bytes', () => json(['x'.repeat(groundLimits.maxLoginAnswerBytes)])],
    ['too many authors', () => json(Array.from({ length: groundLimits.maxLoginAuthors + 1 }, () => 'a.b'))],
  ])('%s is a lost map, which is not kept, and names no login', async (_name, prepare) => {
    prepare();
    const logins = map();
    const failure = await logins.entriesOf('ann@example.org').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'login-map.unavailable' });
    expect(String(failure)).not.toContain('ann');
    json(['example.org']);
    expect(await logins.entriesOf('ann@example.org')).toEqual(['example.org']);
  });

  test('does not wait for ever', async () => {
    answer = () => {};
    await expect(map({ timeoutMs: 20 }).entriesOf('a')).rejects.toMatchObject({
      code: 'login-map.unavailable',
      message: 'the map of logins does not answer within 20 ms',
    });
  });

  test('is not asked for what is longer than a login', async () => {
    expect(await map().entriesOf('a'.repeat(groundLimits.maxLoginLength + 1))).toEqual([]);
    expect(asked).toEqual([]);
  });
});
