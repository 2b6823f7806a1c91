/**
 * A name server with a gate: while the gate is shut it takes queries and answers none, so that whoever asks is caught
 * in the middle of a message, for as long as the test wants. What it answers comes from a zone in memory.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, Zone } from '@zegel/dns';

export interface GatedNameServer extends AsyncDisposable {
  /** `host:port`, for ZEGEL_DNS_SERVERS. */
  readonly address: string;
  /** How many queries wait at the gate. */
  readonly waiting: number;
  /** Answers everything that waits, and whatever comes from now on. */
  open(): void;
  /** Forgets who waits, and lets newcomers wait. */
  shut(): void;
}

interface Query {
  readonly bytes: Buffer;
  readonly name: string;
  readonly type: number;
  /** Offset behind the question. */
  readonly end: number;
}

const headerOctets = 12;
const txt = 16;
const typeNames: Readonly<Record<number, RecordType>> = {
  1: 'A',
  5: 'CNAME',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
};

/** The gate is shut at first. UDP alone: no answer of the tests' zones is too large for it. */
export async function startGatedNameServer(zone: Zone): Promise<GatedNameServer> {
  const resolver = new ZoneResolver(zone);
  const socket = createSocket('udp4');
  const held: (() => void)[] = [];
  let isOpen = false;
  socket.on('message', (bytes, { address, port }) => {
    const answer = async () => {
      const query = readQuery(bytes);
      const type = typeNames[query.type];
      const found: DnsAnswer | null = type === undefined ? null : await resolver.resolve(query.name, type);
      const reply = formatReply(query, found);
      if (!closed) socket.send(reply, port, address);
    };
    if (isOpen) void answer();
    else held.push(() => void answer());
  });
  let closed = false;
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get waiting() {
      return held.length;
    },
    open() {
      isOpen = true;
      for (const answer of held.splice(0)) answer();
    },
    shut() {
      isOpen = false;
      held.length = 0;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Our own client wrote it: one question, no compression in its name (RFC 1035 §4.1). */
function readQuery(bytes: Buffer): Query {
  const labels: string[] = [];
  let at = headerOctets;
  for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { bytes, name: labels.join('.'), type: bytes.readUInt16BE(at + 1), end: at + 5 };
}

/** The question echoed, TXT records behind it; of any other type there is none in the tests' zones. */
function formatReply(query: Query, answer: DnsAnswer | null): Buffer {
  const texts =
    query.type === txt && answer?.status === 'found' ? answer.records.filter((record) => Buffer.isBuffer(record)) : [];
  const header = Buffer.alloc(headerOctets);
  header.writeUInt16BE(query.bytes.readUInt16BE(0), 0);
  // A response, recursion desired and available; NXDOMAIN is 3.
  header.writeUInt16BE(0x8180 | (answer?.status === 'nxdomain' ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(texts.length, 6);
  return Buffer.concat([header, query.bytes.subarray(headerOctets, query.end), ...texts.map(textRecord)]);
}

/** A TXT record at the name of the question: character-strings of at most 255 octets (RFC 1035 §3.3.14). */
function textRecord(text: Buffer): Buffer {
  const strings: Buffer[] = [];
  for (let at = 0; at < text.length; at += 255) {
    const part = text.subarray(at, at + 255);
    strings.push(Buffer.of(part.length), part);
  }
  const data = Buffer.concat(strings);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headerOctets, 0);
  head.writeUInt16BE(txt, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(300, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
