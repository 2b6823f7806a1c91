import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatAddress, listenOn } from '@zegel/service-runtime';
import type { HostPort } from '@zegel/service-runtime';
import { httpLimits } from './limits.ts';
import type { HttpLimits } from './limits.ts';
import { Problem, problemBody } from './problem.ts';

/** An HTTP listener. Dispose to stop: see {@link openHttpServer}. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens, as `host:port`. */
  readonly address: string;
}

export interface HttpServerOptions {
  readonly listen: HostPort;
  readonly limits?: HttpLimits;
  /** Milliseconds that requests in work may take once it is disposed; then their connections are cut. */
  readonly closeTimeout: number;
}

/**
 * Listens for HTTP/1.1. Rejects with a ListenError when the address cannot be bound.
 *
 * - `Expect: 100-continue` is left to the handler: a body is invited by who reads it, so what is refused is not uploaded.
 * - What cannot be parsed, is too slow or has too long a header is answered with application/problem+json too.
 * - A client that stops reading its answer is cut off after `answerTimeout`.
 * - Disposed, it takes no connection and no further request, cuts connections without a request in work, answers those with
 *   one, and cuts what is left after `closeTimeout`.
 */
export async function openHttpServer(
  handle: RequestListener,
  { listen, limits = httpLimits, closeTimeout }: HttpServerOptions,
): Promise<HttpServer> {
  /** Every connection, with the answers that are due on it. */
  const open = new Map<Duplex, Set<ServerResponse>>();
  let isClosing = false;

  const { maxConnections, answerTimeout, ...parsing } = limits;
  const server = createServer(parsing);
  server.maxConnections = maxConnections;
  // For Node a connection is idle as soon as its answer is written, still being read or not: close() below knows better.
  server.closeIdleConnections = () => {};
  server.on('connection', (socket) => {
    open.set(socket, new Set());
    socket.once('close', () => open.delete(socket));
  });
  const serve: RequestListener = (request, response) => {
    const { socket } = request;
    const due = open.get(socket);
    due?.add(response);
    if (isClosing) response.setHeader('Connection', 'close');
    response.on('close', () => {
      due?.delete(response);
      if (isClosing && due?.size === 0) socket.destroySoon();
    });
    handle(request, response);
  };
  server.on('request', serve).on('checkContinue', serve);
  server.on('clientError', (error, socket) => {
    const isAnswered = [...(open.get(socket) ?? [])].some((response) => response.headersSent);
    answerClientError(error, socket, isAnswered);
  });

  const bound = await listenOn(server, listen, 'ZEGEL_LISTEN');
  // A socket's own timer begins anew whenever some of what waits gets through, and by default its end cuts the connection.
  // It is set by a look at all of them now and then, so that an answer that is sent at once has nothing to do with it.
  const look = setInterval(() => {
    for (const [socket, due] of open) {
      if (due.size === 0 || !(socket instanceof Socket)) continue;
      const timeout = socket.writableLength > 0 ? answerTimeout : 0;
      if (socket.timeout !== timeout) socket.setTimeout(timeout);
    }
  }, limits.connectionsCheckingInterval);
  const close = async (): Promise<void> => {
    isClosing = true;
    const closed = once(server, 'close');
    server.close();
    for (const [socket, due] of open) {
      if (due.size === 0) socket.destroy();
      for (const response of due) if (!response.headersSent) response.setHeader('Connection', 'close');
    }
    const cut = setTimeout(() => {
      for (const socket of open.keys()) socket.destroy();
    }, closeTimeout);
    await closed;
    clearTimeout(cut);
    clearInterval(look);
  };
  return { address: formatAddress(bound), [Symbol.asyncDispose]: close };
}

/** What a client did wrong before there was a request that a handler could answer. */
const clientProblems: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem(431, {
    code: 'http.header-too-large',
    detail: 'Request line and header fields are above the limit.',
  }),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new Problem(413, {
    code: 'http.body-too-large',
    detail: 'The chunk extensions are above the limit.',
  }),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem(408, { code: 'http.timeout', detail: 'The request took too long to arrive.' }),
};

function answerClientError(error: Error, socket: Duplex, isAnswered: boolean): void {
  const code = 'code' in error ? String(error.code) : '';
  if (!socket.writable || isAnswered || code === 'ECONNRESET' || code === 'EPIPE') {
    socket.destroy();
    return;
  }
  const problem =
    clientProblems[code] ?? new Problem(400, { code: 'http.malformed', detail: 'This is not a request of HTTP/1.1.' });
  const body = JSON.stringify(problemBody(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  if (socket instanceof Socket) socket.destroySoon();
  else socket.end();
}
