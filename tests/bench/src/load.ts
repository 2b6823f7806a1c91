import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A server under load. */
export interface LoadTarget {
  readonly port: number;
  readonly token: string;
  /**
   * Of its process since it began, all threads; asked of the kernel, since the server itself would answer when its
   * event loop comes by, up to fifty signatures late.
   */
  cpuSeconds(): number;
}

/** What a closed loop of connections saw. */
export interface LoadReport {
  /** Answers per second by the clock. */
  readonly throughput: number;
  /** Answers per second of the server's processor time. */
  readonly rate: number;
  /** Milliseconds from each request to the end of its answer. */
  readonly latencies: Float64Array;
}

export interface LoadOptions {
  readonly connections: number;
  /** Answers before the clock starts, at least 1, those to the first request of each connection not counted. */
  readonly before: number;
  /** Answers that count. */
  readonly requests: number;
}

/**
 * Posts the same message again and again over some connections, each with one request at a time. Each is used once
 * before anything else: Node takes in one connection for each turn of its event loop, so what the first requests wait
 * for is the opening. From then on nothing pauses. Not when the clock starts: fifty requests that begin at once are a
 * load of another kind. Nor when it stops: what the server has under way then is what it had at the start. Rejects at
 * any answer but 200.
 *
 * It shares the machine with the server, so it does as little as can be: one listener a connection, no promise and no copy for
 * a request, and of an answer nothing is read but its first line and length.
 */
export async function load(target: LoadTarget, message: Buffer, options: LoadOptions): Promise<LoadReport> {
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
    Array.from({ length: options.connections }, async () => {
      const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  try {
    return await exchange(sockets, request, target, options);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

interface Moment {
  readonly time: number;
  readonly cpu: number;
}

async function exchange(
  sockets: readonly Socket[],
  request: Buffer,
  target: LoadTarget,
  { before, requests }: LoadOptions,
): Promise<LoadReport> {
  const latencies = new Float64Array(requests);
  /** When counting began and when it ended. */
  const moments: Moment[] = [];
  let uncounted = 0;
  let counted = 0;
  let underWay = sockets.length;
  const note = (latency: number): void => {
    const isCounted = moments.length === 1;
    if (isCounted) latencies[counted++] = latency;
    const isTurn = isCounted ? counted === requests : moments.length === 0 && ++uncounted === before;
    if (isTurn) moments.push({ time: performance.now(), cpu: target.cpuSeconds() });
  };
  /** Of each connection that was used once, until all were. */
  const waiting: (() => void)[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = (): void => reject(new Error('The server closed the connection'));
  for (const socket of sockets) {
    let isNew = true;
    let begun = 0;
    let received = '';
    const ask = (): void => {
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
      if (isNew) {
        isNew = false;
        waiting.push(ask);
        if (waiting.length === sockets.length) for (const go of waiting) go();
        return;
      }
      note(performance.now() - begun);
      if (moments.length < 2) ask();
      else if (--underWay === 0) resolve();
    };
    socket.on('data', take).on('error', reject).on('close', gone);
    ask();
  }
  await promise;
  const [start, stop] = moments as [Moment, Moment];
  return {
    throughput: (requests / (stop.time - start.time)) * 1000,
    rate: requests / (stop.cpu - start.cpu),
    latencies,
  };
}

/** Whether an answer with a Content-Length is there to its end. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  return text.length >= end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
}
