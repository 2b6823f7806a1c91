/** A real https server on a loopback address, whose certificate the checks under test are told to trust. */
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { makeAuthority, makeServerCertificate } from './certificate.ts';

export const webAuthority = makeAuthority('Web Authority');
const { cert, key } = makeServerCertificate(['www.example.com', 'other.example.com'], webAuthority);

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface WebServer extends AsyncDisposable {
  readonly port: number;
  /** The paths asked for, in order. */
  readonly asked: string[];
  /** TCP connections that came in. */
  connections(): number;
}

/** Serves paths of a table; any other is a 404. */
export async function startWebServer(
  paths: Readonly<Record<string, Handler>>,
  { address = '127.0.0.1', port = 0 }: { readonly address?: string; readonly port?: number } = {},
): Promise<WebServer> {
  const asked: string[] = [];
  let connections = 0;
  const server = createServer({ cert, key }, (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const handler = paths[path];
    if (handler) handler(request, response);
    else response.writeHead(404).end();
  });
  server.on('connection', () => connections++);
  // A client that does not trust us hangs up.
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    port: bound.port,
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Serves one document. */
export function serve(type: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_request, response) => response.writeHead(200, { 'content-type': type, ...headers }).end(body);
}

export function redirect(location: string): Handler {
  return (_request, response) => response.writeHead(302, { location }).end();
}
