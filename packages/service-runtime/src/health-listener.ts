import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { listenOn } from './listen.ts';
import type { HostPort } from './listen-address.ts';
import type { Readiness } from './readiness.ts';
import type { Telemetry } from './telemetry.ts';

/** What the health listener serves. */
export interface HealthListenerOptions {
  readonly listen: HostPort;
  readonly telemetry: Telemetry;
  readonly readiness: Readiness;
}

/** The listener of /metrics, /healthz and /readyz. Dispose to close it. */
export interface HealthListener extends AsyncDisposable {
  /** Where it listens, with the port the system chose when 0 was asked for. */
  readonly address: HostPort;
}

const limits = {
  /** Milliseconds for a whole request to arrive. */
  requestTimeout: 5_000,
  /** Milliseconds an idle connection is kept. */
  keepAliveTimeout: 5_000,
  /** Connections at one time. */
  maxConnections: 64,
  /** Bytes of request line and header fields. */
  maxHeaderSize: 8 * 1024,
} as const;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Serves, on a port of its own and without tokens:
 *
 * - `/metrics`: the Prometheus text format
 * - `/healthz`: 200 as long as the process answers at all, which it does as long as its event loop turns. It asks
 *   nothing else: a process must not be restarted because its database is away
 * - `/readyz`: 200 when traffic may come, 503 when not; the JSON body says which checks fail
 *
 * @throws ListenError when the address cannot be bound.
 */
export async function openHealthListener(options: HealthListenerOptions): Promise<HealthListener> {
  const { listen } = options;
  const server = createServer(
    {
      requestTimeout: limits.requestTimeout,
      headersTimeout: limits.requestTimeout,
      keepAliveTimeout: limits.keepAliveTimeout,
      maxHeaderSize: limits.maxHeaderSize,
    },
    (request, response) => {
      void answer(request, options).then((value) => send(request, response, value));
    },
  );
  server.maxConnections = limits.maxConnections;
  return {
    address: await listenOn(server, listen, 'ZEGEL_METRICS_LISTEN'),
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** Never rejects. */
async function answer(request: IncomingMessage, { telemetry, readiness }: HealthListenerOptions): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'only GET and HEAD' });
  const [path] = (request.url ?? '').split('?', 1);
  switch (path) {
    case '/healthz':
      return json(200, { status: 'ok', uptimeSeconds: Math.floor(process.uptime()) });
    case '/readyz': {
      const report = await readiness.report();
      return json(report.ready ? 200 : 503, report);
    }
    case '/metrics':
      try {
        return { status: 200, type: PROMETHEUS_TEXT, body: await telemetry.render() };
      } catch {
        return json(500, { error: 'metrics cannot be read' });
      }
    default:
      return json(404, { error: 'only /metrics, /healthz and /readyz are here' });
  }
}

function json(status: number, value: unknown): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
