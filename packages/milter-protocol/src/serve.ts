import type { Duplex } from 'node:stream';
import { MilterConnection } from './connection.ts';
import type { ConnectionEnd, ServeOptions } from './connection.ts';
import type { CreateHandler } from './handler.ts';

/**
 * Serves one connection of an MTA until it ends, and closes it. Nothing the MTA does makes it reject; see
 * {@link MilterConnection.ended}. Give it a socket with TCP_NODELAY set: replies are small and waited for.
 */
export function serveMilter(
  stream: Duplex,
  createHandler: CreateHandler,
  options: ServeOptions,
): Promise<ConnectionEnd> {
  return new MilterConnection(stream, createHandler, options).ended;
}
