import { ZoneResolver } from '@zegel/dns';
import type { RecordType, Resolver, ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { checkHelo, checkHost, SpfInputError } from '../src/index.ts';
import type { SpfResult } from '../src/index.ts';
import { checkZone, record } from './zone-check.ts';

const host = { A: ['198.51.100.1'] };

/** Terms of a result's trace, each with what it came to. */
function steps(result: SpfResult): string[] {
  return result.evidence.trace.filter((e) => e.step === 'term').map((e) => `${e.text} ${e.outcome}`);
}

describe('RFC 7208 §2.3, §2.4 identities', () => {
  const zone: ZoneDeclaration = {
    'example.com': { TXT: ['v=spf1 +all'] },
    'mail.example.net': { TXT: ['v=spf1 -all exp=why.example.net'] },
    'why.example.net': { TXT: ['%{s} %{o} %{h} from %{c} at %{r}, %{t}'] },
  };

  it('checks the domain of the reverse-path, whatever HELO says', async () => {
    const result = await checkZone(zone);
    expect(result).toMatchObject({ result: 'pass', identity: 'mailfrom', domain: 'example.com' });
    expect(result.evidence).toMatchObject({
      helo: 'mail.example.net',
      mailFrom: 'user@example.com',
      sender: 'user@example.com',
    });
  });

  it('checks the HELO name for its own sake', async () => {
    const result = await checkHelo({
      ip: '192.0.2.1',
      helo: 'mail.example.net',
      resolver: new ZoneResolver(zone),
      now: new Date('2026-01-01T00:00:00.900Z'),
      receiver: 'mx.example.org',
    });
    expect(result).toMatchObject({
      result: 'fail',
      identity: 'helo',
      domain: 'mail.example.net',
      explanationText:
        'postmaster@mail.example.net mail.example.net mail.example.net from 192.0.2.1 at mx.example.org, 1767225600',
    });
  });

  it('takes postmaster at the HELO name for a null reverse-path', async () => {
    const result = await checkZone(zone, { mailFrom: '' });
    expect(result).toMatchObject({ result: 'fail', identity: 'mailfrom', domain: 'mail.example.net' });
    expect(result.evidence).toMatchObject({ mailFrom: '', sender: 'postmaster@mail.example.net' });
  });

  it.each(['root', 'root@', 'mail.example.net'])(
    'finds no domain in the reverse-path %j, whatever HELO says',
    async (mailFrom) => {
      const result = await checkZone(zone, { mailFrom });
      expect(result).toMatchObject({ result: 'none', code: 'spf.invalid-domain', domain: '' });
      expect(result.explanation).toContain(`"${mailFrom}"`);
      expect(result.evidence).toMatchObject({ mailFrom, sender: mailFrom });
    },
  );

  it('takes the domain behind the last at-sign', async () => {
    expect(await checkZone(zone, { mailFrom: '"a@mail.example.net"@EXAMPLE.com.' })).toMatchObject({
      result: 'pass',
      domain: 'example.com',
    });
  });

  for (const mailFrom of [
    'user',
    'user@',
    'user@localhost',
    'user@example..com',
    'user@.example.com',
    'user@[IPv6:2001:db8::1]',
    'user@example.com(.evil.example',
    'user@example.com\0.evil.example',
    'user@evil.example ',
    `user@${'a'.repeat(64)}.example`,
    `user@${'a.'.repeat(126)}example`,
    'user@\u200b.example',
  ]) {
    it(`has no result for ${JSON.stringify(mailFrom.slice(0, 40))}, and asks nothing`, async () => {
      const result = await checkZone(zone, { mailFrom });
      expect(result.result).toBe('none');
      expect(result.evidence.counts.queries).toBe(0);
    });
  }

  it('asks for the A-labels of an internationalised domain (RFC 8616 §4)', async () => {
    const idn = {
      'xn--bcher-kva.example': { TXT: ['v=spf1 include:%{o}.spf.example -all'] },
      'xn--bcher-kva.example.spf.example': { TXT: ['v=spf1 +all'] },
    };
    expect(await checkZone(idn, { mailFrom: 'user@B\u00dccher.example' })).toMatchObject({
      result: 'pass',
      domain: 'xn--bcher-kva.example',
    });
  });
});

describe('client addresses', () => {
  it('are IPv4 when IPv6 maps them (RFC 7208 §5)', async () => {
    const result = await checkZone(record('v=spf1 ip6:::ffff:192.0.2.1 -ip4:192.0.2.1'), { ip: '::FFFF:192.0.2.1' });
    expect(result).toMatchObject({
      result: 'fail',
      evidence: { ip: '192.0.2.1', matched: { term: '-ip4:192.0.2.1' } },
    });
  });

  it('are the caller\u2019s duty: what is none is an exception', async () => {
    await expect(checkZone({}, { ip: '127.1' })).rejects.toThrow(SpfInputError);
    await expect(checkZone({}, { ip: 'unix:/run/mta' })).rejects.toMatchObject({ code: 'spf.invalid-ip' });
  });
});

/** A record whose terms, with those of what it includes, ask nine times before `text`. */
const manyTerms = (text: string): ZoneDeclaration => ({
  'example.com': { TXT: [`v=spf1 a:host.example.com include:inner.example.com ${text}`] },
  'inner.example.com': { TXT: [`v=spf1 ${'a:host.example.com '.repeat(7)}-all`] },
  'outer.example.com': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
  'host.example.com': host,
});

describe('RFC 7208 §4.6.4 look-up limits', () => {
  const ten = 'a:host.example.com '.repeat(10);

  it('lets ten terms ask and not eleven, over include and redirect', async () => {
    const within = await checkZone(manyTerms('redirect=outer.example.com'));
    expect(within).toMatchObject({
      result: 'pass',
      evidence: { counts: { lookupTerms: 10, voidLookups: 0, queries: 11 } },
    });
    const beyond = await checkZone(manyTerms('a:host.example.com redirect=outer.example.com'));
    expect(beyond).toMatchObject({ code: 'spf.too-many-lookups', evidence: { counts: { lookupTerms: 11 } } });
  });

  it('does not count what a match makes unnecessary', async () => {
    expect(await checkZone(record(`v=spf1 ${ten}ip4:192.0.2.1 mx`, { 'host.example.com': host }))).toMatchObject({
      result: 'pass',
    });
  });

  it('counts after the last term too, and inside an include', async () => {
    const missing = 'a:x.example.com a:y.example.com a:z.example.com';
    expect(await checkZone(record(`v=spf1 ${missing}`))).toMatchObject({ code: 'spf.too-many-void-lookups' });
    expect(
      await checkZone(
        record('v=spf1 include:inner.example.com', { 'inner.example.com': { TXT: [`v=spf1 ${missing}`] } }),
      ),
    ).toMatchObject({
      code: 'spf.too-many-void-lookups',
    });
  });

  it('counts void look-ups by terms: not those of the hosts of an mx', async () => {
    const zone = {
      'example.com': {
        TXT: ['v=spf1 mx -all'],
        MX: [10, 20, 30].map((n): readonly [number, string] => [n, `mx${n}.example.com`]),
      },
    };
    expect(await checkZone(zone)).toMatchObject({
      result: 'fail',
      evidence: { counts: { voidLookups: 0, queries: 5 } },
    });
  });

  it('counts the PTR query of each term with %{p}, and none for an explanation', async () => {
    const zone = record('v=spf1 exists:%{p}.a.example.com exists:%{p}.b.example.com -all exp=%{p}.why.example.com', {
      'unknown.why.example.com': { TXT: ['%{p}'] },
    });
    const result = await checkZone(zone);
    expect(result).toMatchObject({ result: 'fail', explanationText: 'unknown' });
    expect(result.evidence.counts).toEqual({ lookupTerms: 4, voidLookups: 2, queries: 8 });
    expect(await checkZone(zone, { limits: { maxLookupTerms: 3 } })).toMatchObject({ code: 'spf.too-many-lookups' });
  });

  it('follows thousands of known records when the limit is raised so far', async () => {
    const links = Array.from({ length: 5_000 }, (_, at): [string, { TXT: string[] }] => {
      return [at === 0 ? 'example.com' : `i${at}.example.com`, { TXT: [`v=spf1 include:i${at + 1}.example.com -all`] }];
    });
    const zone = { ...Object.fromEntries(links), 'i5000.example.com': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] } };
    const result = await checkZone(zone, { limits: { maxLookupTerms: 5_000 } });
    expect(result).toMatchObject({ result: 'pass', evidence: { counts: { lookupTerms: 5_000 } } });
  });

  it('judges mx hosts by preference, whatever the order of the answer', async () => {
    const hosts = Array.from({ length: 11 }, (_, i): readonly [number, string] => [i, `mx${i}.example.com`]);
    const addresses = Object.fromEntries(
      hosts.map(([i, name]) => [name, { A: [i === 9 || i === 10 ? `192.0.2.${i}` : '198.51.100.1'] }]),
    );
    for (const MX of [hosts, hosts.toReversed()]) {
      const zone = { 'example.com': { TXT: ['v=spf1 mx -all'], MX }, ...addresses };
      expect(await checkZone(zone, { ip: '192.0.2.9' })).toMatchObject({ result: 'pass' });
      expect(await checkZone(zone, { ip: '192.0.2.10' })).toMatchObject({ code: 'spf.too-many-mx-hosts' });
    }
  });

  it('lets a host before the one that fails decide', async () => {
    const MX: (readonly [number, string])[] = [
      [1, 'one.example.com'],
      [2, 'two.example.com'],
    ];
    const zone = (one: string): ZoneDeclaration => ({
      'example.com': { TXT: ['v=spf1 mx -all'], MX },
      'one.example.com': { A: [one] },
      'two.example.com': 'SERVFAIL',
    });
    expect(await checkZone(zone('192.0.2.1'))).toMatchObject({ result: 'pass' });
    expect(await checkZone(zone('198.51.100.1'))).toMatchObject({ code: 'spf.dns-failure' });
  });

  it('asks only for client names below the target, and for ten at most', async () => {
    const names = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? `h${i}.example.com` : `h${i}.example.org`));
    const zone = record('v=spf1 ptr -all', {
      '1.2.0.192.in-addr.arpa': { PTR: names },
      'h20.example.com': { A: ['192.0.2.1'] },
    });
    const result = await checkZone(zone);
    expect(result).toMatchObject({ result: 'fail', evidence: { counts: { queries: 7, voidLookups: 0 } } });
    expect(await checkZone(zone, { limits: { maxPtrNames: 30 } })).toMatchObject({ result: 'pass' });
  });
});

describe('loops', () => {
  it('are seen on the second visit', async () => {
    const zone = record('v=spf1 include:b.example.com -all', {
      'b.example.com': { TXT: ['v=spf1 redirect=EXAMPLE.com.'] },
    });
    const result = await checkZone(zone);
    expect(result).toMatchObject({ result: 'permerror', code: 'spf.loop', evidence: { counts: { queries: 2 } } });
    expect(result.explanation).toContain('"redirect=EXAMPLE.com."');
  });

  it('are none when a record is included twice, one after the other', async () => {
    const zone = record('v=spf1 include:b.example.com include:b.example.com ~all', {
      'b.example.com': { TXT: ['v=spf1 -all'] },
    });
    expect(await checkZone(zone)).toMatchObject({ result: 'softfail' });
  });
});

describe('local parts that no name can hold', () => {
  const zone = record('v=spf1 exists:%{l}.example.com include:%{l}.example.com -all exp=%{l}.example.com', {
    'x.example.com': { A: ['127.0.0.2'] },
  });

  it('do not match where they are not US-ASCII (RFC 8616 §4), and nothing is asked for them', async () => {
    const result = await checkZone(zone, { mailFrom: 'us\u00e9r@example.com' });
    expect(result).toMatchObject({ result: 'fail', evidence: { counts: { lookupTerms: 2, queries: 1 } } });
    expect(result.explanationText).toBeUndefined();
  });

  it('do not match where they are longer than the limit', async () => {
    expect(await checkZone(zone, { mailFrom: `${'a.'.repeat(100_000)}@example.com` })).toMatchObject({
      result: 'fail',
      evidence: { counts: { queries: 1 } },
    });
  });

  it('make a redirect lead nowhere', async () => {
    const redirect = record('v=spf1 redirect=%{l}.example.com');
    expect(await checkZone(redirect, { mailFrom: 'us\u00e9r@example.com' })).toMatchObject({
      code: 'spf.redirect-without-record',
    });
  });

  it('cannot bring a line end into the explanation', async () => {
    const exp = record('v=spf1 -all exp=why.example.com', { 'why.example.com': { TXT: ['%{l} is not known'] } });
    expect((await checkZone(exp, { mailFrom: 'user@example.com' })).explanationText).toBe('user is not known');
    expect((await checkZone(exp, { mailFrom: 'us\r\n250 ok@example.com' })).explanationText).toBeUndefined();
  });
});

describe('RFC 7208 §6.2 explanations', () => {
  it('are cut at the limit', async () => {
    const exp = record('v=spf1 -all exp=why.example.com', { 'why.example.com': { TXT: ['%{l}'.repeat(400)] } });
    expect((await checkZone(exp)).explanationText).toBe('user'.repeat(250));
  });

  it('are not asked for unless the result is fail', async () => {
    expect((await checkZone(record('v=spf1 ~all exp=why.example.com'))).evidence.counts.queries).toBe(1);
  });
});

/** Answers from a zone, but never when asked for `type`. */
const hanging = (zone: ZoneDeclaration, type: RecordType): Resolver => {
  const resolver = new ZoneResolver(zone);
  return {
    resolve: (name, asked, options) =>
      asked === type ? new Promise(() => {}) : resolver.resolve(name, asked, options),
  };
};

describe('the deadline', () => {
  it.each(['TXT', 'A', 'MX', 'PTR'] as const)('ends a check whose %s look-up is never answered', async (type) => {
    const zone = record('v=spf1 ptr a mx -all', { '1.2.0.192.in-addr.arpa': { PTR: ['h.example.com'] } });
    const result = await checkZone(zone, { resolver: hanging(zone, type), limits: { maxDuration: 5 } });
    expect(result).toMatchObject({ result: 'temperror', code: 'spf.deadline-exceeded' });
    expect(result.evidence.trace.at(-1)?.lookups.at(-1)).toMatchObject({ type, status: 'unanswered' });
  });

  it('leaves a verdict as it is when only the explanation is late', async () => {
    const zone = record('v=spf1 -all exp=why.example.com');
    let asked = 0;
    const inner = new ZoneResolver(zone);
    const resolver: Resolver = {
      resolve: (name, type, options) => (asked++ === 0 ? inner.resolve(name, type, options) : new Promise(() => {})),
    };
    expect(await checkZone(zone, { resolver, limits: { maxDuration: 5 } })).toMatchObject({ result: 'fail' });
  });

  it('is also the caller\u2019s signal', async () => {
    const controller = new AbortController();
    const zone = record('v=spf1 a -all');
    const pending = checkZone(zone, { resolver: hanging(zone, 'A'), signal: controller.signal });
    controller.abort();
    expect(await pending).toMatchObject({ code: 'spf.deadline-exceeded' });
    expect(await checkZone(zone, { signal: AbortSignal.abort() })).toMatchObject({
      code: 'spf.deadline-exceeded',
      evidence: { counts: { queries: 0 } },
    });
  });

  it('hands its signal to the resolver', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const inner = new ZoneResolver(record('v=spf1 a -all'));
    const resolver: Resolver = {
      resolve(name, type, options) {
        signals.push(options?.signal);
        return inner.resolve(name, type, options);
      },
    };
    await checkZone({}, { resolver });
    expect(signals).toHaveLength(2);
    expect(signals.every((signal) => signal instanceof AbortSignal)).toBe(true);
  });

  it('does not hide lost infrastructure', async () => {
    const resolver: Resolver = { resolve: () => Promise.reject(new Error('socket gone')) };
    await expect(checkZone({}, { resolver })).rejects.toThrow('socket gone');
  });
});

describe('the trace', () => {
  it('tells every step, its look-ups, the running counts and which one decided', async () => {
    const result = await checkZone({
      'example.com': { TXT: ['v=spf1 a:none.example.com include:_spf.example.com ?all'] },
      '_spf.example.com': { TXT: ['v=spf1 mx ~all'], MX: [[10, 'mx.example.com']] },
      'mx.example.com': { A: ['192.0.2.1'] },
    });
    expect(result.evidence.matched).toEqual({ term: 'include:_spf.example.com', domain: 'example.com' });
    expect(result.evidence.trace).toEqual([
      {
        step: 'record',
        domain: 'example.com',
        depth: 0,
        text: 'v=spf1 a:none.example.com include:_spf.example.com ?all',
        lookups: [{ name: 'example.com', type: 'TXT', status: 'found', ttl: 300 }],
        outcome: 'record',
        counts: { lookupTerms: 0, voidLookups: 0, queries: 1 },
        decisive: false,
      },
      {
        step: 'term',
        domain: 'example.com',
        depth: 0,
        text: 'a:none.example.com',
        lookups: [{ name: 'none.example.com', type: 'A', status: 'nxdomain', ttl: 300 }],
        outcome: 'no-match',
        counts: { lookupTerms: 1, voidLookups: 1, queries: 2 },
        decisive: false,
      },
      {
        step: 'term',
        domain: 'example.com',
        depth: 0,
        text: 'include:_spf.example.com',
        lookups: [],
        outcome: 'match',
        counts: { lookupTerms: 3, voidLookups: 1, queries: 5 },
        decisive: true,
      },
      {
        step: 'record',
        domain: '_spf.example.com',
        depth: 1,
        text: 'v=spf1 mx ~all',
        lookups: [{ name: '_spf.example.com', type: 'TXT', status: 'found', ttl: 300 }],
        outcome: 'record',
        counts: { lookupTerms: 2, voidLookups: 1, queries: 3 },
        decisive: false,
      },
      {
        step: 'term',
        domain: '_spf.example.com',
        depth: 1,
        text: 'mx',
        lookups: [
          { name: '_spf.example.com', type: 'MX', status: 'found', ttl: 300, records: ['mx.example.com'] },
          { name: 'mx.example.com', type: 'A', status: 'found', ttl: 300, records: ['192.0.2.1'] },
        ],
        outcome: 'match',
        counts: { lookupTerms: 3, voidLookups: 1, queries: 5 },
        decisive: false,
      },
    ]);
  });

  it('marks the step that failed, inside an include', async () => {
    const result = await checkZone(
      record('v=spf1 include:b.example.com -all', { 'b.example.com': { TXT: ['v=spf1 a moo'] } }),
    );
    expect(steps(result)).toEqual(['include:b.example.com error']);
    expect(result.evidence.trace.filter((entry) => entry.decisive)).toMatchObject([
      { step: 'record', domain: 'b.example.com' },
    ]);
    expect(result.explanation).toBe(
      'The SPF record of b.example.com has an error at "moo" (octet 9): there is no such mechanism.',
    );
  });

  it('marks the step of the record that a redirect leads to', async () => {
    const result = await checkZone(
      record('v=spf1 redirect=b.example.com', { 'b.example.com': { TXT: ['v=spf1 -all'] } }),
    );
    expect(steps(result)).toEqual(['redirect=b.example.com followed', '-all match']);
    expect(result.evidence.trace.find((entry) => entry.decisive)?.text).toBe('-all');
    expect(result.evidence.record).toBe('v=spf1 redirect=b.example.com');
  });

  it('is bounded, and says how much is missing', async () => {
    const result = await checkZone(record(`v=spf1 ${'ip4:198.51.100.1 '.repeat(500)}-all`));
    expect(result.evidence.trace).toHaveLength(200);
    expect(result.evidence.traceOmitted).toBe(302);
    expect(result.evidence.matched).toEqual({ term: '-all', domain: 'example.com' });
  });

  it('is plain data', async () => {
    const result = await checkHost({
      ip: '192.0.2.1',
      helo: 'mail.example.net',
      mailFrom: 'user@example.com',
      resolver: new ZoneResolver(record('v=spf1 mx ptr a -all')),
    });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});

describe('cost', () => {
  it('is bounded for an include bomb', async () => {
    const zone: Record<string, { TXT: string[] }> = {};
    for (let i = 0; i < 50; i++)
      zone[`b${i}.example.com`] = {
        TXT: [`v=spf1 ${Array.from({ length: 50 }, (_, j) => `include:b${j}.example.com`).join(' ')}`],
      };
    const result = await checkZone(zone, { mailFrom: 'user@b0.example.com' });
    expect(result.result).toBe('permerror');
    expect(result.evidence.counts.queries).toBeLessThanOrEqual(11);
  });

  it('is bounded for a record full of macros and a long local part', async () => {
    const zone = record(`v=spf1 exists:${'%{l1r-.}'.repeat(1_900)}.example.com -all`);
    expect(await checkZone(zone, { mailFrom: `${'-'.repeat(1_000)}@example.com` })).toMatchObject({ result: 'fail' });
  });
});
