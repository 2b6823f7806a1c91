import { connect } from 'node:net';

/** What a closed loop of connections saw. */
export interface LoadReport {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds from the request to the end of its answer. */
  readonly latencies: readonly number[];
}

/**
 * Posts the same message again and again over some connections, each with one request at a time, until there were
 * `requests` answers. As cheap as can be, since it shares the machine with the server. Rejects at any answer but 200.
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
  const latencies: number[] = [];
  let left = requests;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
      try {
        while (left-- > 0) {
          const asked = performance.now();
          socket.write(request);
          await answer(socket);
          latencies.push(performance.now() - asked);
        }
      } finally {
        socket.destroy();
      }
    }),
  );
  return { requests, seconds: (performance.now() - begun) / 1000, latencies };
}

type Connection = ReturnType<typeof connect>;

/** Waits for one whole answer with a Content-Length. */
function answer(socket: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (error?: Error): void => {
      socket.off('data', take).off('error', settle).off('close', gone);
      if (error === undefined) resolve();
      else reject(error);
    };
    const gone = (): void => settle(new Error('The server closed the connection'));
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1]);
      if (text.length < end + 4 + length) return;
      settle(text.startsWith('HTTP/1.1 200 ') ? undefined : new Error(`The server answers: ${text.slice(0, 500)}`));
    };
    socket.on('data', take).on('error', settle).on('close', gone);
  });
}

/** The value below which `share` of them lie. */
export function quantile(values: readonly number[], share: number): number {
  const ordered = values.toSorted((one, other) => one - other);
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? 0;
}
