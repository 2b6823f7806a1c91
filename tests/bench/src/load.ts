import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** What a closed loop of connections saw. */
export interface LoadReport {
  /** Answers in all, those before the clock started included. */
  readonly answers: number;
  /** Answers per second by the clock. */
  readonly throughput: number;
  /** Milliseconds from each request to the end of its answer. */
  readonly latencies: Float64Array;
}

/**
 * Posts the same message again and again over some connections, each with one request at a time, until there were
 * `requests` answers. Each connection is used once before the clock starts: Node takes in one connection for each turn of its
 * event loop, so what the first requests wait for is the opening. Rejects at any answer but 200.
 *
 * It shares the machine with the server, so it does as little as can be: one listener a connection, no promise and no copy for
 * a request, and of an answer nothing is read but its first line and length.
 */
export async function load(
  target: { readonly port: number; readonly token: string },
  message: Buffer,
  { connections, requests }: { readonly connections: number; readonly requests: number },
): Promise<LoadReport> {
  const head = [
    'POST /v1/sign HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: Bearer ${target.token}`,
    'Content-Type: message/rfc822',
    'Accept: application/json',
    `Content-Length: ${message.length}`,
  ];
  const request = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), message]);
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  try {
    await exchange(sockets, request, connections);
    const begun = performance.now();
    const latencies = await exchange(sockets, request, requests);
    const seconds = (performance.now() - begun) / 1000;
    return { answers: connections + requests, throughput: requests / seconds, latencies };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** Exchanges so many requests and answers over all connections, and answers how long each took. */
function exchange(sockets: readonly Socket[], request: Buffer, requests: number): Promise<Float64Array> {
  const latencies = new Float64Array(requests);
  let asked = 0;
  let answered = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Float64Array>();
  const gone = (): void => reject(new Error('The server closed the connection'));
  for (const socket of sockets) {
    let begun = 0;
    let received = '';
    const ask = (): void => {
      if (asked >= requests) return;
      asked++;
      begun = performance.now();
      socket.write(request);
    };
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (!isWhole(received)) return;
      if (!received.startsWith('HTTP/1.1 200 ')) {
        reject(new Error(`The server answers: ${received.slice(0, 500)}`));
        return;
      }
      received = '';
      latencies[answered++] = performance.now() - begun;
      if (answered === requests) resolve(latencies);
      else ask();
    };
    for (const event of ['data', 'error', 'close']) socket.removeAllListeners(event);
    socket.on('data', take).on('error', reject).on('close', gone);
    ask();
  }
  return promise;
}

/** Whether an answer with a Content-Length is there to its end. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  return text.length >= end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
}
