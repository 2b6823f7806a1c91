/**
 * A name server for the failures no real one can be made to produce. It answers what the test's script says,
 * on UDP and TCP of one loopback port; it is no DNS server.
 */

import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { RECURSION_AVAILABLE, decode, encode } from 'dns-packet';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';

/** One query as it came in. */
export interface ReceivedQuery {
  readonly transport: 'udp' | 'tcp';
  readonly packet: DecodedPacket;
  /** Port the query came from. */
  readonly sourcePort: number;
}

/** What is sent back, message by message; none is silence. */
export type Script = (query: ReceivedQuery) => readonly Uint8Array[];

/** In place of a message over TCP: the server closes its side. */
export const END_OF_STREAM = new Uint8Array(0);

export interface FakeServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly queries: readonly ReceivedQuery[];
}

export interface ResponseParts {
  readonly id?: number;
  readonly rcode?: number;
  readonly flags?: number;
  readonly questions?: Packet['questions'];
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
  readonly additionals?: Answer[];
}

/** A response to the query, its question echoed unless told otherwise. */
export function respond(query: ReceivedQuery, parts: ResponseParts = {}): Buffer {
  return encode({
    type: 'response',
    id: parts.id ?? query.packet.id,
    flags: RECURSION_AVAILABLE | (parts.flags ?? 0) | (parts.rcode ?? 0),
    questions: parts.questions ?? query.packet.questions,
    answers: parts.answers ?? [],
    authorities: parts.authorities ?? [],
    additionals: parts.additionals ?? [],
  });
}

export async function startFakeServer(script: Script, address = '127.0.0.1'): Promise<FakeServer> {
  const queries: ReceivedQuery[] = [];
  const connections = new Set<Socket>();
  const receive = (transport: 'udp' | 'tcp', bytes: Buffer, sourcePort: number): readonly Uint8Array[] => {
    const query = { transport, packet: decode(bytes), sourcePort };
    queries.push(query);
    return script(query);
  };
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const messages = receive('tcp', bytes.subarray(2), socket.remotePort ?? 0);
      for (const message of messages) {
        if (message === END_OF_STREAM) socket.end();
        else socket.write(message);
      }
    });
  });
  const udp = await bindBoth(tcp, address);
  udp.on('message', (bytes: Buffer, source: RemoteInfo) => {
    for (const message of receive('udp', bytes, source.port)) udp.send(message, source.port, source.address);
  });
  return {
    address,
    port: (tcp.address() as AddressInfo).port,
    queries,
    async [Symbol.asyncDispose]() {
      udp.close();
      tcp.close();
      for (const socket of connections) socket.destroy();
      await Promise.all([once(udp, 'close'), once(tcp, 'close')]);
    },
  };
}

/** Binds both transports to one port; the system chooses it for TCP, and the same one may be taken for UDP. */
async function bindBoth(tcp: Server, address: string): Promise<UdpSocket> {
  for (;;) {
    tcp.listen(0, address);
    await once(tcp, 'listening');
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    udp.bind((tcp.address() as AddressInfo).port, address);
    try {
      await once(udp, 'listening');
      return udp;
    } catch {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    }
  }
}

/** A message as it goes over TCP: its length first. */
export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
