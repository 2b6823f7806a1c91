import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZoneError, ZoneResolver, parseZone } from '../src/index.ts';
import type { DnsAnswer, RecordType, ZoneDeclaration } from '../src/index.ts';

const CONFORMANCE = process.env.ZEGEL_CONFORMANCE ?? resolvePath(import.meta.dirname, '../../../../shared/conformance');

/** The data as text, for TXT. */
function texts(answer: DnsAnswer<'TXT'>): string[] | string {
  return answer.status === 'found' ? answer.records.map((record) => Buffer.from(record).toString()) : answer.status;
}

function outcomeOf(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
}

function failure(answer: DnsAnswer): string | null {
  return answer.status === 'temporary-failure' ? answer.reason : null;
}

describe('a zone by type', () => {
  const resolver = new ZoneResolver({
    'Example.COM.': {
      TXT: ['v=spf1 -all', 'grün', ['one', 'two'], Uint8Array.of(0xff, 0x00)],
      A: ['192.0.2.1'],
      AAAA: ['2001:DB8:0::1'],
      MX: [
        [10, 'Mail.Example.com.'],
        [0, '.'],
      ],
      NS: ['ns.example.com'],
      SOA: [['ns.example.com', 'hostmaster.example.com', 1, 2, 3, 4, 5]],
      TLSA: [[3, 1, 1, '00ff']],
    },
    '1.2.0.192.in-addr.arpa': { PTR: ['Mail.Example.com'] },
    'münchen.example': { A: ['192.0.2.2'] },
    'gone.example.com': 'NXDOMAIN',
    'below.absent.example.com': 'NXDOMAIN',
    'broken.example.com': 'SERVFAIL',
    'slow.example.com': 'TIMEOUT',
    'a.b.deep.example.com': { A: [] },
  });

  it('answers every type in the form of the contract', async () => {
    expect(await resolver.resolve('example.com', 'A')).toEqual({
      status: 'found',
      records: ['192.0.2.1'],
      ttl: 300,
      authentic: false,
      cnames: [],
    });
    expect(await resolver.resolve('example.com', 'AAAA')).toMatchObject({ records: ['2001:db8::1'] });
    expect(await resolver.resolve('example.com', 'MX')).toMatchObject({
      records: [
        { preference: 10, exchange: 'mail.example.com' },
        { preference: 0, exchange: '' },
      ],
    });
    expect(await resolver.resolve('1.2.0.192.IN-ADDR.arpa', 'PTR')).toMatchObject({ records: ['mail.example.com'] });
    expect(await resolver.resolve('example.com', 'SOA')).toMatchObject({ records: [{ serial: 1, minimum: 5 }] });
    expect(await resolver.resolve('example.com', 'TLSA')).toMatchObject({
      records: [{ usage: 3, selector: 1, matchingType: 1, certificate: Buffer.of(0, 255) }],
    });
  });

  it('joins character-strings without a space and takes text as UTF-8', async () => {
    const answer = await resolver.resolve('example.com', 'TXT');
    expect(texts(answer).slice(0, 3)).toEqual(['v=spf1 -all', 'grün', 'onetwo']);
    expect(answer.status === 'found' && [...answer.records[3]!]).toEqual([0xff, 0x00]);
  });

  it('compares names without case, final dot or the form of their labels', async () => {
    expect(await resolver.resolve('EXAMPLE.com.', 'A')).toMatchObject({ status: 'found' });
    expect(await resolver.resolve('xn--MNCHEN-3ya.example', 'A')).toMatchObject({ records: ['192.0.2.2'] });
    expect(await resolver.resolve('München.example', 'A')).toMatchObject({ records: ['192.0.2.2'] });
  });

  it('knows NODATA, NXDOMAIN and the failures', async () => {
    expect(await resolver.resolve('example.com', 'PTR')).toMatchObject({ status: 'nodata' });
    expect(await resolver.resolve('other.example', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(await resolver.resolve('gone.example.com', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(failure(await resolver.resolve('broken.example.com', 'A'))).toBe('servfail');
    expect(failure(await resolver.resolve('slow.example.com', 'A'))).toBe('timeout');
    expect(await resolver.resolve('a.b.deep.example.com', 'A')).toMatchObject({ status: 'nodata' });
  });

  it('RFC 8020: a name that has names below it exists', async () => {
    expect(await resolver.resolve('deep.example.com', 'A')).toMatchObject({ status: 'nodata' });
    expect(await resolver.resolve('in-addr.arpa', 'A')).toMatchObject({ status: 'nodata' });
    expect(await resolver.resolve('c.deep.example.com', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(await resolver.resolve('absent.example.com', 'A')).toMatchObject({ status: 'nxdomain' });
  });

  it('answers nxdomain for what cannot be asked, and timeout once the signal is aborted', async () => {
    expect(await resolver.resolve('a..example.com', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(failure(await resolver.resolve('example.com', 'A', { signal: AbortSignal.abort() }))).toBe('timeout');
  });
});

describe('RFC 1034 §3.6.2 aliases', () => {
  const chain: Record<string, ZoneDeclaration[string]> = { 'end.example': { A: ['192.0.2.9'] } };
  for (let link = 1; link <= 9; link += 1) {
    chain[`c${link}.example`] = { CNAME: [link === 1 ? 'end.example' : `c${link - 1}.example`] };
  }
  const resolver = new ZoneResolver({
    ...chain,
    'www.example': { CNAME: ['Host.example.'] },
    'host.example': { A: ['192.0.2.3'] },
    'dangling.example': { CNAME: ['nowhere.example'] },
    'loop1.example': { CNAME: ['loop2.example'] },
    'loop2.example': { CNAME: ['LOOP1.example.'] },
    'to-broken.example': { CNAME: ['broken.example'] },
    'broken.example': 'SERVFAIL',
  });

  it('are followed and listed', async () => {
    expect(await resolver.resolve('www.example', 'A')).toMatchObject({
      records: ['192.0.2.3'],
      cnames: ['host.example'],
    });
    expect(await resolver.resolve('www.example', 'MX')).toMatchObject({ status: 'nodata', cnames: ['host.example'] });
    expect(await resolver.resolve('www.example', 'CNAME')).toMatchObject({ records: ['host.example'], cnames: [] });
  });

  it('that dangle are nxdomain with the alias told', async () => {
    expect(await resolver.resolve('dangling.example', 'A')).toMatchObject({
      status: 'nxdomain',
      cnames: ['nowhere.example'],
    });
  });

  it('are followed eight times; loops and longer chains fail', async () => {
    expect(await resolver.resolve('c8.example', 'A')).toMatchObject({ status: 'found', records: ['192.0.2.9'] });
    expect(failure(await resolver.resolve('c9.example', 'A'))).toBe('servfail');
    expect(failure(await resolver.resolve('loop1.example', 'A'))).toBe('servfail');
    expect(await resolver.resolve('to-broken.example', 'A')).toEqual({
      status: 'temporary-failure',
      reason: 'servfail',
      cnames: ['broken.example'],
    });
  });
});

describe('a zone as a list of records', () => {
  const resolver = new ZoneResolver({
    'example.com': [
      { type: 'SPF', data: ['v=spf1 +all'] },
      { type: 'TXT', data: ['v=spf1 ', '-all'] },
      { type: 'TXT', data: [] },
      { type: 'MX', data: [0, ''] },
      { timeout: 'A' },
    ],
    'rest.example.com': [{ type: 'TXT', data: 'here' }, { timeout: '*' }],
    'spf.example.com': [{ type: 'SPF', data: ['v=spf1 -all'] }],
  });

  it('reads records, joins strings and reads over type SPF', async () => {
    expect(texts(await resolver.resolve('example.com', 'TXT'))).toEqual(['v=spf1 -all', '']);
    expect(texts(await resolver.resolve('spf.example.com', 'TXT'))).toBe('nodata');
    expect(await resolver.resolve('example.com', 'MX')).toMatchObject({ records: [{ preference: 0, exchange: '' }] });
  });

  it('times out by type, or for every type without records', async () => {
    expect(failure(await resolver.resolve('example.com', 'A'))).toBe('timeout');
    expect(await resolver.resolve('example.com', 'AAAA')).toMatchObject({ status: 'nodata' });
    expect(texts(await resolver.resolve('rest.example.com', 'TXT'))).toEqual(['here']);
    expect(failure(await resolver.resolve('rest.example.com', 'MX'))).toBe('timeout');
  });
});

describe('parseZone', () => {
  it.each([
    [[], 'zone', 'dns.zone-not-an-object'],
    [null, 'zone', 'dns.zone-not-an-object'],
    [{ 'a.example': 'NODATA' }, 'zone["a.example"]', 'dns.zone-bad-entry'],
    [{ 'a.example': 7 }, 'zone["a.example"]', 'dns.zone-bad-entry'],
    [{ 'a.example': { TXTT: [] } }, 'zone["a.example"].TXTT', 'dns.zone-unknown-type'],
    [{ 'a.example': { constructor: [] } }, 'zone["a.example"].constructor', 'dns.zone-unknown-type'],
    [{ 'a.example': { TXT: 'text' } }, 'zone["a.example"].TXT', 'dns.zone-bad-record'],
    [{ 'a.example': { TXT: ['ok', 1] } }, 'zone["a.example"].TXT[1]', 'dns.zone-bad-record'],
    [{ 'a.example': { TXT: [['ok', {}]] } }, 'zone["a.example"].TXT[0][1]', 'dns.zone-bad-record'],
    [{ 'a.example': { A: ['1.2.3.4.5'] } }, 'zone["a.example"].A[0]', 'dns.zone-bad-record'],
    [{ 'a.example': { AAAA: ['1.2.3.4'] } }, 'zone["a.example"].AAAA[0]', 'dns.zone-bad-record'],
    [{ 'a.example': { MX: [['10', 'b.example']] } }, 'zone["a.example"].MX[0][0]', 'dns.zone-bad-record'],
    [{ 'a.example': { MX: [[10, 'b..example']] } }, 'zone["a.example"].MX[0][1]', 'dns.zone-bad-record'],
    [{ 'a.example': { MX: [10, 'b.example'] } }, 'zone["a.example"].MX[0]', 'dns.zone-bad-record'],
    [{ 'a.example': { CNAME: ['b.example', 'c.example'] } }, 'zone["a.example"].CNAME', 'dns.zone-bad-record'],
    [{ 'a.example': { TLSA: [[3, 1, 1, 'abc']] } }, 'zone["a.example"].TLSA[0][3]', 'dns.zone-bad-record'],
    [{ 'a.example': [{ type: 'A' }] }, 'zone["a.example"][0].data', 'dns.zone-bad-record'],
    [{ 'a.example': [{ timeout: 'B' }] }, 'zone["a.example"][0].timeout', 'dns.zone-unknown-type'],
    [{ 'a.example': ['NXDOMAIN'] }, 'zone["a.example"][0]', 'dns.zone-bad-entry'],
    [{ 'a.example': {}, 'A.example.': {} }, 'zone["A.example."]', 'dns.zone-duplicate-name'],
    [{ 'a.example': { A: Array(100_000).fill('192.0.2.1') } }, 'zone["a.example"]', 'dns.zone-too-large'],
  ])('refuses a malformed zone and says where: %#', (zone, path, code) => {
    expect(() => parseZone(zone)).toThrow(expect.objectContaining({ path, code }));
  });

  it('throws nothing but ZoneError, whatever JSON it is given', () => {
    const entry = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('TXT', 'A', 'MX', 'SPF', 'SOA'), fc.jsonValue()),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), entry)), (value) => {
        expect(outcomeOf(() => parseZone(value))).toSatisfy(
          (outcome) => outcome instanceof Map || outcome instanceof ZoneError,
        );
      }),
    );
  });

  it('leaves bad records out when told to, but no bad shapes', async () => {
    const zone = parseZone({ 'a.example': { A: ['AAA', '192.0.2.1'], MX: [['x']] } }, { badRecords: 'omit' });
    const resolver = new ZoneResolver(zone);
    expect(await resolver.resolve('a.example', 'A')).toMatchObject({ records: ['192.0.2.1'] });
    expect(await resolver.resolve('a.example', 'MX')).toMatchObject({ status: 'nodata' });
    expect(() => parseZone({ 'a.example': { A: '192.0.2.1' } }, { badRecords: 'omit' })).toThrow(ZoneError);
  });

  it('leaves out names the DNS cannot hold, and is not fooled by names of JavaScript', async () => {
    const zone = parseZone(
      JSON.parse(`{"${'a'.repeat(64)}.example": {"A": ["192.0.2.1"]}, "__proto__": {"A": ["192.0.2.2"]}}`),
    );
    expect([...zone.keys()]).toEqual(['__proto__']);
    const resolver = new ZoneResolver(zone);
    expect(await resolver.resolve('__PROTO__', 'A')).toMatchObject({ records: ['192.0.2.2'] });
    expect(await resolver.resolve('constructor', 'A')).toMatchObject({ status: 'nxdomain' });
  });
});

describe('the zones of the conformance suites', () => {
  const TYPES: readonly RecordType[] = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'CNAME'];

  it.each(['spf/rfc7208-tests.json', 'spf/rfc4408-tests.json', 'spf/stalwart.json', 'spf/rspamd.json'])(
    '%s is answered record for record',
    async (file) => {
      const suite = JSON.parse(readFileSync(`${CONFORMANCE}/${file}`, 'utf8')) as {
        zones: Record<string, Record<string, { type?: string; timeout?: string }[]>>;
      };
      let compared = 0;
      for (const zone of Object.values(suite.zones)) {
        const resolver = new ZoneResolver(parseZone(zone));
        for (const [name, list] of Object.entries(zone)) {
          if (name.length > 253 || name.split('.').some((label) => label.length > 63)) continue;
          const isAlias = list.some((record) => record.type === 'CNAME');
          for (const type of TYPES) {
            if (isAlias && type !== 'CNAME') continue;
            const answer = await resolver.resolve(name, type);
            const count = list.filter((record) => record.type === type).length;
            const silent = list.some((record) => record.timeout !== undefined);
            const answered = answer.status === 'found' ? answer.records.length : answer.status;
            expect(answered).toBe(count > 0 ? count : silent ? 'temporary-failure' : 'nodata');
            compared += 1;
          }
        }
      }
      expect(compared).toBeGreaterThan(20);
    },
  );

  it.each(['dmarc/verify.json', 'dmarc/rspamd.json', 'e2e/cases.json', 'arc/validation.json', 'dkim/rspamd.json'])(
    '%s is read whole',
    (file) => {
      const suite = JSON.parse(readFileSync(`${CONFORMANCE}/${file}`, 'utf8')) as {
        dns?: Record<string, unknown>;
        cases: { dns?: Record<string, unknown> }[];
      };
      const zones = [suite.dns, ...suite.cases.map((each) => each.dns)].filter((zone) => zone !== undefined);
      expect(zones.length).toBeGreaterThan(0);
      for (const zone of zones) expect(parseZone(zone, { badRecords: 'omit' }).size).toBe(Object.keys(zone).length);
    },
  );
});
