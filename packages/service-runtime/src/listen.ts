import { once } from 'node:events';
import type { Server } from 'node:net';
import { errorCode } from './errors.ts';
import { formatAddress } from './listen-address.ts';
import type { HostPort } from './listen-address.ts';

/** An address that a service was told to listen on cannot be had. `code` is the system's (`EADDRINUSE`, `EACCES`, …). */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(address: string, setting: string, cause: unknown) {
    const code = errorCode(cause);
    const reason =
      code === 'EADDRINUSE'
        ? 'another program listens there; stop it, or choose another address'
        : cause instanceof Error
          ? cause.message
          : String(cause);
    super(`${address} (${setting}): ${reason}`, { cause });
    this.code = code;
  }
}

/**
 * Lets a server listen, and answers where: with the port that the system chose when 0 was asked for.
 *
 * @param setting the variable that names the address, for the error.
 * @throws ListenError when the address cannot be bound.
 */
export async function listenOn(server: Server, { host, port }: HostPort, setting: string): Promise<HostPort> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ListenError(formatAddress({ host, port }), setting, error);
  }
  const address = server.address();
  return { host, port: address === null || typeof address === 'string' ? port : address.port };
}
