import { connect } from 'node:net';
import { runExchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { NameServer } from './name-server.ts';
import { decodePacket } from './packet.ts';
import { isResponseTo } from './query.ts';
import type { Query } from './query.ts';

/** The length before a message, which bounds it to 65,535 octets (RFC 7766 §8). */
const LENGTH_OCTETS = 2;

/**
 * Asks over TCP (RFC 7766), one query a connection: used when an answer did not fit a datagram. Nobody else can write into
 * the connection, so the first message must be the answer; anything else is `malformed`.
 */
export function askTcp(query: Query, server: NameServer, timeoutMs: number, signal: AbortSignal): Promise<Exchange> {
  return runExchange(timeoutMs, signal, (settle) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true });
    const chunks: Buffer[] = [];
    let received = 0;
    let head = Buffer.alloc(0);
    socket.on('error', () => settle({ outcome: 'network' }));
    socket.on('close', () => settle({ outcome: 'network' }));
    socket.on('connect', () => {
      const length = Buffer.alloc(LENGTH_OCTETS);
      length.writeUInt16BE(query.packet.length);
      socket.write(Buffer.concat([length, query.packet]));
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (head.length < LENGTH_OCTETS) head = Buffer.concat([head, chunk.subarray(0, LENGTH_OCTETS - head.length)]);
      if (head.length < LENGTH_OCTETS) return;
      const length = head.readUInt16BE(0);
      if (received < LENGTH_OCTETS + length) return;
      const packet = decodePacket(Buffer.concat(chunks).subarray(LENGTH_OCTETS, LENGTH_OCTETS + length));
      if (packet === null || !isResponseTo(packet, query)) return settle({ outcome: 'malformed' });
      settle({ outcome: 'response', packet, octets: length });
    });
    return () => socket.destroy();
  });
}
