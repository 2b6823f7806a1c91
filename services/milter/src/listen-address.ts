import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { formatAddress } from '@zegel/service-runtime';
import type { HostPort } from '@zegel/service-runtime';

/** Where a listener listens: the path of a Unix socket, or a host and a port. */
export type ListenAddress = { readonly path: string } | HostPort;

/** A listener cannot be opened at its address. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: 'milter.socket-in-use' | 'milter.not-a-socket';

  constructor(code: ListenError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Makes a server listen. A socket file that nobody listens on any more is removed first; the new one gets the mode bits
 * `permissions`, or those that the umask leaves. Resolves with the address as it
 * is written in a configuration, the port being the one the system chose when 0 was asked for.
 *
 * Rejects with a {@link ListenError} when somebody listens there already or a file of another kind is in the way, or with
 * what the system says (`EADDRINUSE`, `EACCES`, …).
 */
export async function listenAt(server: Server, address: ListenAddress, permissions?: number): Promise<string> {
  if ('path' in address) {
    await removeStaleSocket(address.path);
    server.listen({ path: address.path });
    await once(server, 'listening');
    if (permissions !== undefined) await chmod(address.path, permissions);
    return `unix:${address.path}`;
  }
  server.listen({ host: address.host, port: address.port });
  await once(server, 'listening');
  const bound = server.address();
  return formatAddress({
    host: address.host,
    port: bound === null || typeof bound === 'string' ? address.port : bound.port,
  });
}

/** Removes a socket file that a dead process left. See {@link listenAt} for what it rejects with. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new ListenError('milter.not-a-socket', `${path} is there and is no socket; remove it or listen elsewhere`);
  }
  if (await isAnswered(path)) {
    throw new ListenError('milter.socket-in-use', `another process listens on ${path} already`);
  }
  await unlink(path);
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
