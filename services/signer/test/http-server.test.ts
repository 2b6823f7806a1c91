import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openHttpServer } from '../src/http-server.ts';
import type { HttpServer } from '../src/http-server.ts';
import { httpLimits } from '../src/limits.ts';

/** Limits that a test does not have to wait for. */
const impatient = { ...httpLimits, headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 };

const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

async function serve(handle: RequestListener, limits = httpLimits, closeTimeout = 10_000) {
  const server = await openHttpServer(handle, { listen: { host: '127.0.0.1', port: 0 }, limits, closeTimeout });
  open.push(server);
  return { server, port: Number(server.address.split(':')[1]) };
}

const sayHello: RequestListener = (_request, response) => void response.end('hello');

async function connectTo(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Everything that arrives until the other side ends the connection. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('requests that no handler sees are answered with a problem', () => {
  test.each([
    ['not HTTP', 'HELO example.test\r\n\r\n', 400, 'http.malformed'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'http.malformed',
    ],
    ['a header above the limit', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'http.header-too-large'],
  ])('%s', async (_what, sent, status, code) => {
    const { port } = await serve(sayHello);
    const socket = await connectTo(port);
    socket.write(sent);
    const answer = await readAll(socket);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toContain('Content-Type: application/problem+json');
    expect(head).toContain('Connection: close');
    expect(JSON.parse(body)).toMatchObject({ status, code, type: `urn:zegel:problem:${code}` });
  });

  test.each([
    ['a header that does not end', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['a body that does not end', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'],
  ])('408: %s', async (_what, sent) => {
    const { port } = await serve((request, response) => {
      request.on('end', () => response.end('all there')).on('error', () => response.destroy());
      request.resume();
    }, impatient);
    const socket = await connectTo(port);
    socket.write(sent);
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"http.timeout"');
  });

  test('an answer that has begun is not followed by another when its request is too slow', async () => {
    const { port } = await serve((_request, response) => void response.writeHead(200).write('begun'), impatient);
    const socket = await connectTo(port);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    const answer = await readAll(socket).catch((error: NodeJS.ErrnoException) => error.code ?? '');
    expect(answer.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect(answer).not.toContain('408');
  });
});

describe('a client that does not read its answer', () => {
  test('is cut off, and not one whose answer takes as long to make', async () => {
    const held = Promise.withResolvers<ServerResponse>();
    const stalled = Promise.withResolvers<ServerResponse>();
    const limits = { ...httpLimits, answerTimeout: 50, connectionsCheckingInterval: 20 };
    const { port } = await serve((request, response) => {
      if (request.url === '/held') return held.resolve(response);
      response.on('close', () => stalled.resolve(response)).end(Buffer.alloc(32_000_000));
    }, limits);
    const patient = await connectTo(port);
    patient.write('GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const response = await held.promise;
    const socket = await connectTo(port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await stalled.promise).writableFinished).toBe(false);
    response.end('done');
    expect(await readAll(patient)).toMatch(/done$/);
    socket.destroy();
  });
});

describe('a body that nobody wants', () => {
  test('is read over, and the connection serves the next request', async () => {
    const { port } = await serve((request, response) => void response.end(request.method));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (body: Buffer): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ port, agent, method: 'POST', headers: { 'Content-Length': body.length } });
        request.on('response', resolve).on('error', reject).end(body);
      });
    const sockets = new Set<unknown>();
    for (const size of [8_000_000, 10]) {
      const response = await send(Buffer.alloc(size));
      sockets.add(response.socket);
      response.resume();
      await once(response, 'end');
      expect(response.statusCode).toBe(200);
    }
    expect(sockets.size).toBe(1);
    agent.destroy();
  });

  test('is not invited', async () => {
    const { port } = await serve((_request, response) => {
      response.setHeader('Connection', 'close');
      response.writeHead(403).end();
    });
    const socket = await connectTo(port);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n');
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('stopping', () => {
  test('answers the request in work, says that the connection closes, and ends', async () => {
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const { server, port } = await serve((_request, response) => {
      arrived.resolve();
      void held.promise.then(() => response.end('done'));
    });
    const socket = await connectTo(port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrived.promise;
    const closed = server[Symbol.asyncDispose]();
    await expect(connectTo(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    held.resolve();
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/^Connection: close\r$/im);
    expect(answer).toContain('done');
    await closed;
  });

  test('says so too in an answer that gives its whole header as one list', async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    const { server, port } = await serve((_request, response) => arrived.resolve(response));
    const socket = await connectTo(port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const response = await arrived.promise;
    const closed = server[Symbol.asyncDispose]();
    response.writeHead(200, ['Content-Length', '4', 'X-Other', 'a']).end('done');
    const answer = await readAll(socket);
    expect(answer).toMatch(/^Connection: close\r$/im);
    expect(answer).toMatch(/^X-Other: a\r$/m);
    expect(answer.endsWith('\r\n\r\ndone')).toBe(true);
    await closed;
  });

  test('goes on with an answer that its client is still reading', async () => {
    const body = Buffer.alloc(32_000_000, 'x');
    const ended = Promise.withResolvers<void>();
    const { server, port } = await serve((_request, response) => {
      response.writeHead(200, ['Content-Length', String(body.length)]).end(body);
      ended.resolve();
    });
    const socket = await connectTo(port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await ended.promise;
    const closed = server[Symbol.asyncDispose]();
    const answer = await readAll(socket);
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(body.length);
    await closed;
  });

  test.each([
    ['that was never used', ''],
    ['that is idle', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['with half a header', 'GET / HTTP/1.1\r\nHo'],
  ])('cuts a connection %s', async (_what, sent) => {
    const { server, port } = await serve(sayHello);
    const socket = await connectTo(port);
    if (sent !== '') socket.write(sent);
    if (sent.endsWith('\r\n\r\n')) await once(socket, 'data');
    const ended = readAll(socket).catch(() => '');
    await server[Symbol.asyncDispose]();
    expect(await ended).toBe('');
  });

  test('cuts what is still in work after the time for it', async () => {
    const arrived = Promise.withResolvers<void>();
    const { server, port } = await serve(() => arrived.resolve(), httpLimits, 50);
    const socket = await connectTo(port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrived.promise;
    const ended = readAll(socket).catch(() => '');
    await server[Symbol.asyncDispose]();
    expect(await ended).toBe('');
  });
});
