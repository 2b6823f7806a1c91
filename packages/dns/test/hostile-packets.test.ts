import { encode } from 'dns-packet';
import type { Answer } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CachingResolver } from '../src/client.ts';
import { decodePacket } from '../src/client/packet.ts';
import { readResponse } from '../src/client/response.ts';
import { respond, startFakeServer } from './fake-server.ts';
import type { FakeServer, ReceivedQuery } from './fake-server.ts';

const TYPES = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'TLSA', 'CNAME', 'SOA', 'NS'] as const;

const name = fc.constantFrom('a.example', 'b.example', 'A.EXAMPLE', '.', 'c.example');
const record: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constantFrom('CNAME', 'PTR', 'NS'), name, ttl: fc.nat(), data: name }),
  fc.record({ type: fc.constant('A'), name, ttl: fc.nat(), data: fc.ipV4() }),
  fc.record({ type: fc.constant('AAAA'), name, ttl: fc.nat(), data: fc.constantFrom('::', '2001:db8::1') }),
  fc.record({
    type: fc.constant('TXT'),
    name,
    ttl: fc.nat(),
    data: fc.array(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({
    type: fc.constant('MX'),
    name,
    ttl: fc.nat(),
    data: fc.record({ preference: fc.nat(65_535), exchange: name }),
  }),
);

/** Well-formed answers, some with octets changed or cut off, and plain noise. */
const packetBody = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        answers: fc.array(record, { maxLength: 6 }),
        authorities: fc.array(record, { maxLength: 2 }),
        rcode: fc.constantFrom(0, 0, 0, 3),
        changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }),
        cut: fc.option(fc.nat(400), { nil: Number.POSITIVE_INFINITY }),
      })
      .map(({ answers, authorities, rcode, changes, cut }) => {
        const bytes = encode({
          type: 'response',
          flags: rcode,
          answers,
          authorities,
          questions: [{ type: 'A', class: 'IN', name: 'a.example' }],
        });
        for (const [at, octet] of changes) if (at >= 12 && at < bytes.length) bytes[at] = octet;
        return bytes.subarray(0, cut);
      }),
  },
);

describe('hostile packets', () => {
  it('are read without an exception, and what is read keeps the contract', () => {
    fc.assert(
      fc.property(packetBody, fc.constantFrom(...TYPES), (bytes, type) => {
        const packet = decodePacket(bytes);
        if (packet === null) return;
        const chain = ['a.example'];
        const reading = readResponse(packet, type, chain);
        expect(chain.length).toBeLessThanOrEqual(9);
        if (reading.kind !== 'found') return;
        expect(reading.records.length).toBeGreaterThan(0);
        expect(reading.ttl).toSatisfy((ttl: number) => Number.isInteger(ttl) && ttl >= 0 && ttl <= 0x7fff_ffff);
      }),
      { numRuns: 5000 },
    );
  });

  it('of the greatest size and the most pointers are read in time that grows with their length', () => {
    // A 64 KiB message of empty records whose names all point to one name of 127 labels.
    const header = Buffer.from([0, 1, 0x84, 0, 0, 0, 0x15, 0x00, 0, 0, 0, 0]);
    const longName = Buffer.concat([Buffer.from('\x01a'.repeat(126), 'latin1'), Buffer.of(0)]);
    const first = Buffer.concat([longName, Buffer.from([0, 16, 0, 1, 0, 0, 0, 0, 0, 0])]);
    const pointed = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0]);
    const packet = decodePacket(Buffer.concat([header, first, ...Array.from({ length: 0x1500 - 1 }, () => pointed)]));
    expect(packet?.answers).toHaveLength(0x1500);
    expect(readResponse(packet!, 'A', ['a.example'])).toMatchObject({ kind: 'nodata' });
  });
});

describe('a resolver with a hostile server', () => {
  let server: FakeServer;
  let reply: (query: ReceivedQuery) => Uint8Array;

  beforeAll(async () => {
    server = await startFakeServer((query) => [reply(query), respond(query, { rcode: 2 })]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('always answers, and never rejects', async () => {
    const resolver = new CachingResolver({ servers: [server], cacheEntries: 0, deadlineMs: 2000 });
    await fc.assert(
      fc.asyncProperty(packetBody, fc.constantFrom(...TYPES), fc.boolean(), async (body, type, ownId) => {
        reply = (query) => {
          const bytes = Buffer.from(body);
          // No truncation bit: what TCP brings is the business of another test.
          if (bytes.length > 2) bytes[2] = 0x84;
          if (ownId && bytes.length > 1) bytes.writeUInt16BE(query.packet.id ?? 0);
          return bytes;
        };
        const answer = await resolver.resolve('a.example', type);
        expect(['found', 'nodata', 'nxdomain', 'temporary-failure']).toContain(answer.status);
      }),
      { numRuns: 300 },
    );
    await resolver.close();
  });
});
