import cluster from 'node:cluster';
import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { formatAddress, listenOn } from '@zegel/service-runtime';
import type { HostPort } from '@zegel/service-runtime';

/** Where a listener listens: the path of a Unix socket, or a host and a port. */
export type ListenAddress = { readonly path: string } | HostPort;

/** A Unix socket cannot be opened at its path. */
export class SocketError extends Error {
  override readonly name = 'SocketError';
  readonly code: 'milter.socket-in-use' | 'milter.not-a-socket';

  constructor(code: SocketError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Makes a server listen. A socket file that nobody listens on any more is removed first; the new one gets the mode bits
 * `permissions`, or those that the umask leaves. Resolves with the address as it is written in a configuration, the port
 * being the one the system chose when 0 was asked for.
 *
 * Rejects with a {@link SocketError} when somebody listens on the path already or a file of another kind is in the way, or
 * with what the system says (`EADDRINUSE`, `EACCES`, …).
 */
export async function listenAt(server: Server, address: ListenAddress, permissions?: number): Promise<string> {
  if ('path' in address) {
    // Several processes share the socket that the first of them opens.
    if (cluster.isPrimary) await removeStaleSocket(address.path);
    server.listen({ path: address.path });
    await once(server, 'listening');
    if (permissions !== undefined) await chmod(address.path, permissions);
    return `unix:${address.path}`;
  }
  return formatAddress(await listenOn(server, address, 'milter.listen'));
}

/** Removes a socket file that a dead process left. See {@link listenAt} for what it rejects with. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new SocketError('milter.not-a-socket', `${path} is there and is no socket; remove it or listen elsewhere`);
  }
  if (await isAnswered(path)) {
    throw new SocketError('milter.socket-in-use', `another process listens on ${path} already`);
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
