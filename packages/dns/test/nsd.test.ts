import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CachingResolver } from '../src/client.ts';
import { startNsd } from '@zegel/test-harness';
import type { Nsd } from '@zegel/test-harness';

/** A DKIM key that fills two character-strings, and one that fills no datagram of 1232 octets. */
const RSA_KEY = 'A'.repeat(360);
const HUGE = Array.from({ length: 40 }, (_, index) => `"${String(index).padStart(2, '0')}${'x'.repeat(198)}"`);

const ZONE = `$ORIGIN example.test.
$TTL 600
@ IN SOA ns.example.test. hostmaster.example.test. 2026010101 7200 3600 1209600 120
@ IN NS ns.example.test.
ns IN A 127.0.0.1
@ IN A 192.0.2.1
@ IN AAAA 2001:db8:0:0:1:0:0:1
@ IN MX 10 Mail.Example.TEST.
@ IN MX 20 mail.other.test.
@ IN TXT "v=spf1 " "-all"
@ IN TXT "\\255\\000bytes"
s1._domainkey IN TXT "v=DKIM1; k=rsa; p=" "${RSA_KEY.slice(0, 200)}" "${RSA_KEY.slice(200)}"
huge IN TXT ${HUGE.join(' ')}
many IN A 192.0.2.10
many 60 IN A 192.0.2.11
nomail IN MX 0 .
_25._tcp.mail IN TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
www IN CNAME host
host 300 IN A 192.0.2.3
outside IN CNAME host.other.test.
dangling IN CNAME nowhere
loop1 IN CNAME loop2
loop2 IN CNAME loop1
a.b.deep IN A 192.0.2.4
foo:bar/baz IN A 192.0.2.5
macro\\032space IN A 192.0.2.6
xn--mnchen-3ya IN A 192.0.2.7
*.wild IN TXT "wild"
`;

const OTHER = `$ORIGIN other.test.
$TTL 900
@ IN SOA ns.other.test. hostmaster.other.test. 1 7200 3600 1209600 3600
@ IN NS ns.other.test.
ns IN A 127.0.0.1
host IN A 198.51.100.1
mail IN A 198.51.100.2
`;

const REVERSE = `$ORIGIN 2.0.192.in-addr.arpa.
$TTL 900
@ IN SOA ns.example.test. hostmaster.example.test. 1 7200 3600 1209600 3600
@ IN NS ns.example.test.
1 IN PTR Mail.Example.test.
`;

describe('CachingResolver with NSD', () => {
  let nsd: Nsd;
  let resolver: CachingResolver;

  beforeAll(async () => {
    nsd = await startNsd({ 'example.test': ZONE, 'other.test': OTHER, '2.0.192.in-addr.arpa': REVERSE });
    resolver = new CachingResolver({ servers: [nsd] });
  });

  afterAll(async () => {
    await resolver.close();
    await nsd.stop();
  });

  it('reads each type in the form of the contract', async () => {
    expect(await resolver.resolve('EXAMPLE.test.', 'A')).toEqual({
      status: 'found',
      records: ['192.0.2.1'],
      ttl: 600,
      authentic: false,
      cnames: [],
    });
    expect(await resolver.resolve('example.test', 'AAAA')).toMatchObject({ records: ['2001:db8::1:0:0:1'] });
    const exchanges = await resolver.resolve('example.test', 'MX');
    expect(exchanges.status === 'found' && exchanges.records.toSorted((a, b) => a.preference - b.preference)).toEqual([
      { preference: 10, exchange: 'mail.example.test' },
      { preference: 20, exchange: 'mail.other.test' },
    ]);
    expect(await resolver.resolve('nomail.example.test', 'MX')).toMatchObject({
      records: [{ preference: 0, exchange: '' }],
    });
    expect(await resolver.resolve('1.2.0.192.in-addr.arpa', 'PTR')).toMatchObject({ records: ['mail.example.test'] });
    expect(await resolver.resolve('example.test', 'NS')).toMatchObject({ records: ['ns.example.test'] });
    expect(await resolver.resolve('example.test', 'SOA')).toMatchObject({
      records: [{ primary: 'ns.example.test', mailbox: 'hostmaster.example.test', serial: 2026010101, minimum: 120 }],
    });
    expect(await resolver.resolve('_25._tcp.mail.example.test', 'TLSA')).toMatchObject({
      records: [
        {
          usage: 3,
          selector: 1,
          matchingType: 1,
          certificate: Buffer.from('00112233445566778899aabbccddeeff'.repeat(2), 'hex'),
        },
      ],
    });
  });

  it('RFC 7208 §3.3: joins the character-strings of one record, byte for byte', async () => {
    const answer = await resolver.resolve('example.test', 'TXT');
    const records =
      answer.status === 'found' ? answer.records.map((record) => Buffer.from(record).toString('latin1')) : [];
    expect(records.toSorted()).toEqual(['v=spf1 -all', '\xff\0bytes']);
    const key = await resolver.resolve('s1._domainkey.example.test', 'TXT');
    expect(key).toMatchObject({ records: [Buffer.from(`v=DKIM1; k=rsa; p=${RSA_KEY}`)] });
  });

  it('RFC 7766 §5: comes again over TCP for what does not fit a datagram', async () => {
    const before = resolver.statistics.tcpQueries;
    const answer = await resolver.resolve('huge.example.test', 'TXT');
    expect(answer).toMatchObject({ records: [Buffer.from(HUGE.map((part) => part.slice(1, -1)).join(''))] });
    expect(resolver.statistics.tcpQueries).toBe(before + 1);
  });

  it('tells the smallest TTL along the way', async () => {
    expect(await resolver.resolve('many.example.test', 'A')).toMatchObject({ ttl: 60 });
    expect(await resolver.resolve('www.example.test', 'A')).toMatchObject({ ttl: 300 });
  });

  it('RFC 2308 §5: tells no such name from no such record, with the TTL of the SOA', async () => {
    expect(await resolver.resolve('example.test', 'PTR')).toEqual({
      status: 'nodata',
      ttl: 120,
      authentic: false,
      cnames: [],
    });
    expect(await resolver.resolve('absent.example.test', 'A')).toMatchObject({ status: 'nxdomain', ttl: 120 });
    expect(await resolver.resolve('deep.example.test', 'A')).toMatchObject({ status: 'nodata' });
    expect(await resolver.resolve('a.wild.example.test', 'TXT')).toMatchObject({ records: [Buffer.from('wild')] });
  });

  it('follows aliases in the answer and beyond it, and tells dangling ones', async () => {
    expect(await resolver.resolve('www.example.test', 'A')).toMatchObject({
      records: ['192.0.2.3'],
      cnames: ['host.example.test'],
    });
    expect(await resolver.resolve('outside.example.test', 'A')).toMatchObject({
      records: ['198.51.100.1'],
      cnames: ['host.other.test'],
    });
    expect(await resolver.resolve('www.example.test', 'TXT')).toMatchObject({
      status: 'nodata',
      cnames: ['host.example.test'],
    });
    expect(await resolver.resolve('dangling.example.test', 'A')).toMatchObject({
      status: 'nxdomain',
      cnames: ['nowhere.example.test'],
    });
    expect(await resolver.resolve('loop1.example.test', 'A')).toMatchObject({
      status: 'temporary-failure',
      reason: 'servfail',
    });
    expect(await resolver.resolve('www.example.test', 'CNAME')).toMatchObject({
      records: ['host.example.test'],
      cnames: [],
    });
  });

  it('asks names as SPF macros and people write them', async () => {
    expect(await resolver.resolve('Foo:Bar/baz.example.test', 'A')).toMatchObject({ records: ['192.0.2.5'] });
    expect(await resolver.resolve('macro space.example.test', 'A')).toMatchObject({ records: ['192.0.2.6'] });
    expect(await resolver.resolve('München.example.test', 'A')).toMatchObject({ records: ['192.0.2.7'] });
  });

  it('echoes the letter case of a question, which a client may demand', async () => {
    const strict = new CachingResolver({ servers: [nsd], mixedCase: true });
    expect(await strict.resolve('s1._domainkey.example.test', 'TXT')).toMatchObject({ status: 'found' });
    expect(await strict.resolve('www.example.test', 'A')).toMatchObject({ records: ['192.0.2.3'] });
    await strict.close();
  });

  it('is refused a zone the server does not have', async () => {
    expect(await resolver.resolve('example.org', 'A')).toEqual({
      status: 'temporary-failure',
      reason: 'refused',
      cnames: [],
    });
  });

  it('asks once for what it was told already, and for what is under way', async () => {
    const fresh = new CachingResolver({ servers: [nsd] });
    const answers = await Promise.all(Array.from({ length: 50 }, () => fresh.resolve('host.example.test', 'A')));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set(['found']));
    await fresh.resolve('HOST.example.test', 'A');
    expect(fresh.statistics).toMatchObject({
      lookups: 51,
      coalesced: 49,
      cacheHits: 1,
      udpQueries: 1,
      cacheEntries: 1,
    });
    await fresh.close();
  });

  it('holds no more sockets than it may, and answers everyone', async () => {
    const narrow = new CachingResolver({ servers: [nsd], maxQueriesInFlight: 4 });
    const names = Array.from({ length: 200 }, (_, index) => `n${index}.wild.example.test`);
    const answers = await Promise.all(names.map((name) => narrow.resolve(name, 'TXT')));
    expect(answers.every((answer) => answer.status === 'found')).toBe(true);
    await narrow.close();
  });

  it('is cut off when the server is gone', async () => {
    const doomed = await startNsd({ 'example.test': ZONE });
    const client = new CachingResolver({ servers: [doomed] });
    expect(await client.resolve('example.test', 'A')).toMatchObject({ status: 'found' });
    await doomed.stop();
    expect(await client.resolve('example.test', 'MX')).toMatchObject({
      status: 'temporary-failure',
      reason: 'network',
    });
    expect(await client.resolve('example.test', 'A')).toMatchObject({ status: 'found' });
    await client.close();
  });
});
