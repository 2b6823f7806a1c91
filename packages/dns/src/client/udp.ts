import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { MAX_STRAY_DATAGRAMS } from '../limits.ts';
import { runExchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { NameServer } from './name-server.ts';
import { decodeDatagram, messageId } from './packet.ts';
import { isResponseTo } from './query.ts';
import type { Query } from './query.ts';

/**
 * Asks over UDP, from a socket of its own: the system gives each a random port (RFC 5452 §9.2).
 *
 * Whatever is not the answer is passed over, since anybody can send it: another source, another id, another question. Only
 * bytes that carry our id and cannot be read end the wait as `malformed`; so do 32 strays.
 */
export function askUdp(query: Query, server: NameServer, timeoutMs: number, signal: AbortSignal): Promise<Exchange> {
  return runExchange(timeoutMs, signal, (settle) => {
    const socket = createSocket({ type: isIPv6(server.address) ? 'udp6' : 'udp4' });
    let peer = server.address;
    let strays = 0;
    socket.on('error', () => settle({ outcome: 'network' }));
    socket.on('message', (bytes, source) => {
      // The kernel drops other sources once connected; what arrived before that is checked here.
      if (source.address === peer && source.port === server.port && messageId(bytes) === query.id) {
        const packet = decodeDatagram(bytes);
        if (packet === null) return settle({ outcome: 'malformed' });
        if (isResponseTo(packet, query)) return settle({ outcome: 'response', packet, octets: bytes.length });
      }
      strays += 1;
      if (strays >= MAX_STRAY_DATAGRAMS) settle({ outcome: 'malformed' });
    });
    let open = true;
    socket.on('connect', () => {
      if (!open) return;
      peer = socket.remoteAddress().address;
      socket.send(query.packet, (error) => {
        if (error !== null) settle({ outcome: 'network' });
      });
    });
    socket.connect(server.port, server.address);
    return () => {
      if (!open) return;
      open = false;
      socket.close();
    };
  });
}
