import { decodePacket } from '../../../../packages/dns/src/client/packet.ts';
import { isResponseTo, rcode } from '../../../../packages/dns/src/client/query.ts';
import { isReferral, readResponse } from '../../../../packages/dns/src/client/response.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';

const types = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'TLSA', 'CNAME', 'SOA', 'NS'] as const;
const typeNumbers = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, TLSA: 52 } as const;
const asked = 'a.example';
/** A pointer to the name in the question (RFC 1035 §4.1.4). */
const pointer = Buffer.from('c00c', 'hex');

/** What the DNS client makes of a response. The input is the packet. */
export const dnsResponse: FuzzTarget = {
  name: 'dns-response',
  covers: ['dns'],
  tokens: [
    '\u00c0\x0c',
    '\u00c0\0',
    '\x3f',
    '\u00ff\u00ff',
    '\0\0\x10\0\x01',
    '\0\x01\0\x01',
    '\0\x05\0\x01',
    '\x01a\x07example\0',
    '\0\0\x29',
  ],
  seeds: () => [
    ...types.map((type) => response(typeNumbers[type], [{ type: typeNumbers[type], data: sampleData[type] }])),
    response(1, [
      { type: 5, data: wireName('b.example') },
      { type: 1, data: Buffer.from([192, 0, 2, 1]) },
    ]),
    response(16, [{ type: 5, data: pointer }]),
    response(
      16,
      Array.from({ length: 12 }, () => ({ type: 16, data: Buffer.from('\x03abc\x02de', 'latin1') })),
    ),
    response(16, []),
  ],
  run: async (input) => {
    const packet = decodePacket(Buffer.from(input));
    if (packet === null) return ['no packet'];
    const words = [`rcode-${rcode(packet)}`, isReferral(packet) ? 'referral' : 'answer'];
    for (const type of types) {
      const query = { id: packet.id ?? 0, name: asked, type, caseSensitive: false, packet: Buffer.alloc(0) };
      if (isResponseTo(packet, query)) words.push('answers the question');
      const chain = [asked];
      const reading = readResponse(packet, type, chain);
      must(chain.length <= 10, 'a chain of aliases without end');
      must(reading.kind !== 'found' || reading.records.length > 0, 'found, and nothing there');
      must(reading.kind === 'endless' || reading.ttl === null || reading.ttl >= 0, 'a negative time to live');
      words.push(`${type} ${reading.kind}`);
    }
    return words;
  },
};

function wireName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.of(0)]);
}

const sampleData: Readonly<Record<(typeof types)[number], Buffer>> = {
  TXT: Buffer.from('\x05hello\x00\x03abc', 'latin1'),
  A: Buffer.from([192, 0, 2, 1]),
  AAAA: Buffer.alloc(16, 1),
  MX: Buffer.concat([Buffer.of(0, 10), wireName('mx.example')]),
  PTR: pointer,
  TLSA: Buffer.concat([Buffer.of(3, 1, 1), Buffer.alloc(32, 7)]),
  CNAME: wireName('b.example'),
  SOA: Buffer.concat([wireName('ns.example'), pointer, Buffer.alloc(20, 1)]),
  NS: wireName('ns.example'),
};

/** A response to a question about `asked`, as RFC 1035 §4.1 lays it out. */
function response(type: number, answers: readonly { readonly type: number; readonly data: Buffer }[]): Buffer {
  return Buffer.concat([
    numbers(0x1234, 0x8180, 1, answers.length, 0, 0),
    wireName(asked),
    numbers(type, 1),
    ...answers.flatMap((answer) => [pointer, numbers(answer.type, 1, 0, 300, answer.data.length), answer.data]),
  ]);
}

/** Numbers of 16 bits. */
function numbers(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 0xff)));
}
