import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { evaluateDmarc } from '../src/index.ts';
import type { DkimIdentifier, DmarcResult, SpfIdentifier } from '../src/index.ts';
import { policies, RecordingResolver } from './recording-resolver.ts';

const pass = (domain: string) => ({ domain, result: 'pass' }) as const;

function evaluate(
  zone: ZoneDeclaration,
  message: { author?: string; spf?: SpfIdentifier; dkim?: readonly DkimIdentifier[] } = {},
): Promise<DmarcResult> {
  const { author = 'example.com', spf, dkim = [] } = message;
  return evaluateDmarc({ authorDomain: author, spf, dkim, resolver: new ZoneResolver(zone) });
}

async function applied(zone: ZoneDeclaration, author: string): Promise<string> {
  const { policy, disposition } = await evaluate(zone, { author });
  expect(disposition).toBe(policy?.applied);
  return disposition;
}

describe('RFC 9989 §5.3.1 author domain', () => {
  const resolver = new RecordingResolver(policies({ 'example.com': 'v=DMARC1; p=reject' }));

  it.each([
    ['none', [], 'dmarc.no-author-domain'],
    ['an empty one', [''], 'dmarc.no-author-domain'],
    ['an address literal', ['[192.0.2.1]'], 'dmarc.invalid-author-domain'],
    ['a name with a parenthesis', ['example.com(.evil.example'], 'dmarc.invalid-author-domain'],
    ['two', ['example.com', 'example.org'], 'dmarc.several-author-domains'],
    ['a valid and an invalid one', ['example.com', '[192.0.2.1]'], 'dmarc.several-author-domains'],
  ])('%s: permerror, without asking', async (_which, authorDomains, code) => {
    const result = await evaluateDmarc({ authorDomains, dkim: [pass('example.com')], resolver });
    expect(result).toMatchObject({ result: 'permerror', code, disposition: 'none' });
    expect(result.alignment.dkim).toEqual([{ domain: 'example.com', result: 'pass', mode: 'relaxed', aligned: false }]);
    expect(resolver.asked).toEqual([]);
  });

  it('an absent one: permerror', async () => {
    const result = await evaluateDmarc({ authorDomain: undefined, dkim: [], resolver });
    expect(result.code).toBe('dmarc.no-author-domain');
  });

  it('several addresses of one domain are one', async () => {
    const zone = policies({ 'example.com': 'v=DMARC1; p=reject' });
    const result = await evaluateDmarc({
      authorDomains: ['example.com', 'EXAMPLE.com', 'example.com.'],
      dkim: [pass('example.com')],
      resolver: new ZoneResolver(zone),
    });
    expect(result).toMatchObject({ result: 'pass', authorDomain: 'example.com' });
  });

  it('is compared as A-labels', async () => {
    const zone = policies({ 'xn--bcher-kva.example': 'v=DMARC1; p=reject; adkim=s' });
    const result = await evaluate(zone, { author: 'Bücher.Example', dkim: [pass('xn--bcher-kva.example')] });
    expect(result).toMatchObject({ result: 'pass', authorDomain: 'xn--bcher-kva.example' });
  });

  it('shows no control characters of a hostile name', async () => {
    const result = await evaluate({}, { author: 'a\r\nX: \u001b[2J\u202e.example' });
    expect(result.code).toBe('dmarc.invalid-author-domain');
    expect(result.explanation).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('RFC 9989 §5.3.2 whether DMARC applies', () => {
  it('does not without a record', async () => {
    const result = await evaluate({}, { dkim: [pass('example.com')] });
    expect(result).toMatchObject({ result: 'none', code: 'dmarc.no-record', disposition: 'none' });
    expect(result).not.toHaveProperty('policy');
  });

  it('does not with several records, and says where', async () => {
    const result = await evaluate(policies({ 'example.com': ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] }));
    expect(result).toMatchObject({ result: 'none', code: 'dmarc.several-records' });
    expect(result.advice).toContain('_dmarc.example.com');
  });

  it('does not with a record that cannot be used, and says what is wrong with it', async () => {
    const result = await evaluate(policies({ 'example.com': 'v=DMARC1; p=quarentine' }));
    expect(result).toMatchObject({ result: 'none', code: 'dmarc.record-unusable' });
    expect(result.evidence.recordFaults).toEqual([{ problem: 'invalid', tag: 'p' }]);
  });
});

describe('RFC 9989 §4.4 identifier alignment', () => {
  const zone = policies({ 'example.com': 'v=DMARC1; p=reject' });

  it.each([
    ['the author domain', 'example.com', true],
    ['a subdomain', 'bounce.example.com', true],
    ['another domain', 'example.org', false],
    ['a domain that only ends alike', 'notexample.com', false],
    ['the parent', 'com', false],
    ['no domain', '', false],
    ['a domain with an empty label', 'a..example.com', false],
  ])('relaxed, %s', async (_which, domain, aligned) => {
    const spf = await evaluate(zone, { spf: pass(domain) });
    expect(spf.result).toBe(aligned ? 'pass' : 'fail');
    expect(spf.alignment.spf).toEqual({ domain, result: 'pass', mode: 'relaxed', aligned });
    const dkim = await evaluate(zone, { dkim: [{ ...pass(domain), selector: 's1' }] });
    expect(dkim.result).toBe(aligned ? 'pass' : 'fail');
    expect(dkim.alignment.dkim).toEqual([{ domain, selector: 's1', result: 'pass', mode: 'relaxed', aligned }]);
  });

  it('relaxed, two subdomains of one organization', async () => {
    const result = await evaluate(zone, { author: 'a.example.com', dkim: [pass('b.example.com')] });
    expect(result).toMatchObject({ result: 'pass', organizationalDomain: 'example.com' });
  });

  it('strict for one mechanism only', async () => {
    const mixed = policies({ 'example.com': 'v=DMARC1; p=reject; adkim=s' });
    const dkim = [pass('a.example.com')];
    expect((await evaluate(mixed, { dkim })).result).toBe('fail');
    const both = await evaluate(mixed, { dkim, spf: pass('a.example.com') });
    expect(both.code).toBe('dmarc.pass-spf');
    expect(both.alignment.dkim[0]).toMatchObject({ mode: 'strict', aligned: false });
  });

  it('keeps apart what psd=n parts', async () => {
    const parted = policies({
      'example.com': 'v=DMARC1; p=reject',
      'dept.example.com': 'v=DMARC1; p=reject; psd=n',
    });
    expect((await evaluate(parted, { dkim: [pass('dept.example.com')] })).result).toBe('fail');
    expect((await evaluate(parted, { author: 'dept.example.com', dkim: [pass('example.com')] })).result).toBe('fail');
    const inside = await evaluate(parted, { author: 'dept.example.com', dkim: [pass('a.dept.example.com')] });
    expect(inside.result).toBe('pass');
  });

  it('keeps apart what a public suffix parts', async () => {
    const parted = policies({ 'bank.example': 'v=DMARC1; p=reject; psd=y' });
    const author = 'giant.bank.example';
    expect((await evaluate(parted, { author, dkim: [pass('mega.bank.example')] })).result).toBe('fail');
    expect((await evaluate(parted, { author, dkim: [pass('bank.example')] })).result).toBe('fail');
    expect((await evaluate(parted, { author, dkim: [pass('mail.giant.bank.example')] })).result).toBe('pass');
  });

  it.each(['fail', 'policy', 'neutral', 'none', 'permerror'] as const)(
    'an aligned DKIM %s proves nothing',
    async (word) => {
      const result = await evaluate(zone, { dkim: [{ domain: 'example.com', result: word }] });
      expect(result).toMatchObject({ result: 'fail', code: 'dmarc.not-authenticated', disposition: 'reject' });
      expect(result.alignment.dkim[0]?.aligned).toBe(true);
    },
  );

  it('says which mechanism passed', async () => {
    const message = { spf: pass('example.com'), dkim: [pass('example.com')] };
    expect((await evaluate(zone, message)).code).toBe('dmarc.pass-both');
    expect((await evaluate(zone, { dkim: message.dkim })).code).toBe('dmarc.pass-dkim');
    expect((await evaluate(zone, { spf: message.spf })).code).toBe('dmarc.pass-spf');
  });

  it('tells what authenticated but is not aligned from what did not authenticate', async () => {
    const result = await evaluate(zone, {
      spf: pass('esp.example'),
      dkim: [pass('esp.example'), pass('list.example')],
    });
    expect(result.code).toBe('dmarc.not-aligned');
    expect(result.explanation).toContain('esp.example, list.example');
    expect((await evaluate(zone)).code).toBe('dmarc.not-authenticated');
  });
});

describe('RFC 9989 §4.10.1 the policy for the author domain', () => {
  const record = 'v=DMARC1; p=quarantine; sp=none; np=reject';
  it('is p at the domain itself, sp below it, np where nothing exists', async () => {
    const zone: ZoneDeclaration = {
      ...policies({ 'example.com': record }),
      'a.example.com': { A: ['192.0.2.1'] },
    };
    expect(await applied(zone, 'example.com')).toBe('quarantine');
    expect(await applied(zone, 'a.example.com')).toBe('none');
    expect(await applied(zone, 'ghost.example.com')).toBe('reject');
  });

  it('takes a dangling alias and an empty non-terminal as existing', async () => {
    const zone: ZoneDeclaration = {
      ...policies({ 'example.com': record }),
      'alias.example.com': { CNAME: ['gone.example.net'] },
      'host.empty.example.com': { A: ['192.0.2.1'] },
    };
    expect(await applied(zone, 'alias.example.com')).toBe('none');
    expect(await applied(zone, 'empty.example.com')).toBe('none');
  });

  it('asks whether the domain exists only when that changes what is asked', async () => {
    const same = new RecordingResolver(policies({ 'example.com': 'v=DMARC1; p=reject; sp=none; np=none' }));
    await evaluateDmarc({ authorDomain: 'a.example.com', dkim: [], resolver: same });
    expect(same.asked).not.toContain('a.example.com');
    const other = new RecordingResolver(policies({ 'example.com': record }));
    const result = await evaluateDmarc({ authorDomain: 'a.example.com', dkim: [], resolver: other });
    expect(other.asked).toContain('a.example.com');
    expect(result.evidence.authorDomainExists).toBe(false);
  });

  it('is one level lower while testing', async () => {
    for (const [p, lower] of [
      ['reject', 'quarantine'],
      ['quarantine', 'none'],
      ['none', 'none'],
    ] as const) {
      const result = await evaluate(policies({ 'example.com': `v=DMARC1; p=${p}; t=y` }));
      expect(result).toMatchObject({
        result: 'fail',
        disposition: lower,
        policy: { p, testing: true, applied: lower },
      });
    }
  });

  it('is the record as read, with the text it was read from', async () => {
    const text = 'v=DMARC1; p=reject; psd=n; aspf=s; rua=mailto:a@example.com; ruf=mailto:f@example.com; fo=1';
    const result = await evaluate(policies({ 'example.com': text }));
    expect(result.policy).toEqual({
      domain: 'example.com',
      record: text,
      p: 'reject',
      applied: 'reject',
      testing: false,
      adkim: 'relaxed',
      aspf: 'strict',
      psd: 'n',
      fo: ['1'],
      rua: ['mailto:a@example.com'],
      ruf: ['mailto:f@example.com'],
      policyAssumed: false,
    });
    expect(result.organizationalDomain).toBe('example.com');
    expect(result.evidence).toEqual({
      discoveryMethod: 'treewalk',
      walk: [{ name: '_dmarc.example.com', status: 'record', record: text, ttl: 300 }],
      ttl: 300,
    });
  });

  it('asks nothing of a receiver for a message that passes', async () => {
    const result = await evaluate(policies({ 'example.com': 'v=DMARC1; p=reject' }), { dkim: [pass('example.com')] });
    expect(result).toMatchObject({ result: 'pass', disposition: 'none', policy: { applied: 'reject' } });
  });
});

describe('RFC 9989 §5.3.6 a temporary error is no failure', () => {
  it('of the policy', async () => {
    const result = await evaluate(policies({ 'example.com': 'SERVFAIL' }), { dkim: [pass('example.com')] });
    expect(result).toMatchObject({ result: 'temperror', code: 'dmarc.policy-temporary-failure', disposition: 'none' });
    expect(result.explanation).toContain('_dmarc.example.com');
  });

  it('of a policy that is known further down, and could yet give way to one that cannot be used', async () => {
    const known = { 'example.com': 'v=DMARC1; p=reject' };
    const message = { author: 'a.example.com', dkim: [pass('a.example.com')] };
    expect((await evaluate(policies({ ...known, com: 'SERVFAIL' }), message)).result).toBe('temperror');
    expect((await evaluate(policies({ ...known, com: 'v=DMARC1; psd=n' }), message)).result).toBe('none');
  });

  it('of an identifier that would be aligned', async () => {
    const zone = policies({ 'example.com': 'v=DMARC1; p=reject' });
    const dkim = await evaluate(zone, { dkim: [{ domain: 'a.example.com', result: 'temperror' }] });
    expect(dkim).toMatchObject({ result: 'temperror', code: 'dmarc.identifier-temporary-error', disposition: 'none' });
    const spf = await evaluate(zone, { spf: { domain: 'example.com', result: 'temperror' } });
    expect(spf.code).toBe('dmarc.identifier-temporary-error');
  });

  it('but one of an identifier that would not be aligned changes nothing', async () => {
    const zone = policies({ 'example.com': 'v=DMARC1; p=reject' });
    const result = await evaluate(zone, { dkim: [{ domain: 'esp.example', result: 'temperror' }] });
    expect(result.result).toBe('fail');
  });

  it('of a walk on which the alignment depends', async () => {
    const zone = policies({ 'example.com': 'v=DMARC1; p=reject', 'a.example.com': 'SERVFAIL' });
    const result = await evaluate(zone, { spf: pass('a.example.com') });
    expect(result).toMatchObject({ result: 'temperror', code: 'dmarc.alignment-temporary-failure' });
    expect(result.alignment.spf).toMatchObject({ aligned: false, unresolved: 'temporary-failure' });
  });

  it('but a failed look-up above all that both domains share changes nothing', async () => {
    const zone = policies({ 'example.com': 'v=DMARC1; p=reject', com: 'SERVFAIL' });
    expect((await evaluate(zone, { dkim: [pass('a.example.com')] })).result).toBe('pass');
  });

  it('while one at the last name they share does: it may be a public suffix', async () => {
    const zone = policies({ 'one.example': 'v=DMARC1; p=reject', example: 'SERVFAIL' });
    const result = await evaluate(zone, { author: 'one.example', dkim: [pass('two.example')] });
    expect(result.result).toBe('temperror');
  });

  it('of the existence of the author domain', async () => {
    const zone: ZoneDeclaration = {
      ...policies({ 'example.com': 'v=DMARC1; p=none; np=reject' }),
      'a.example.com': 'SERVFAIL',
    };
    const result = await evaluate(zone, { author: 'a.example.com' });
    expect(result).toMatchObject({
      result: 'temperror',
      code: 'dmarc.existence-temporary-failure',
      disposition: 'none',
    });
  });

  it('of every look-up when the deadline has passed', async () => {
    const result = await evaluateDmarc({
      authorDomain: 'example.com',
      dkim: [],
      resolver: new ZoneResolver(policies({ 'example.com': 'v=DMARC1; p=reject' })),
      signal: AbortSignal.abort(),
    });
    expect(result).toMatchObject({ result: 'temperror', evidence: { walk: [{ reason: 'timeout' }] } });
  });
});

describe('what an evaluation costs', () => {
  const record = 'v=DMARC1; p=reject';

  it('a pass with the author domain costs one query, and leaves the rest open', async () => {
    const resolver = new RecordingResolver(policies({ 'example.com': record, 'bounce.example.com': 'SERVFAIL' }));
    const result = await evaluateDmarc({
      authorDomain: 'example.com',
      spf: pass('bounce.example.com'),
      dkim: [pass('esp.example'), pass('example.com')],
      resolver,
    });
    expect(result.code).toBe('dmarc.pass-dkim');
    expect(resolver.asked).toEqual(['_dmarc.example.com']);
    expect(result.alignment.spf).toMatchObject({ aligned: false, unresolved: 'not-needed' });
  });

  it('looks at the nearest domain first, and stops there', async () => {
    const resolver = new RecordingResolver(policies({ 'example.com': record }));
    const result = await evaluateDmarc({
      authorDomain: 'a.b.example.com',
      dkim: [pass('x.example.com'), pass('x.b.example.com')],
      resolver,
    });
    expect(result.result).toBe('pass');
    expect(resolver.asked).toEqual([
      '_dmarc.a.b.example.com',
      '_dmarc.b.example.com',
      '_dmarc.example.com',
      '_dmarc.com',
      '_dmarc.x.b.example.com',
    ]);
  });

  it('no name is asked twice, and none for a domain outside the author’s organization', async () => {
    const resolver = new RecordingResolver(policies({ 'example.com': record, 'b.example.com': `${record}; psd=n` }));
    await evaluateDmarc({
      authorDomain: 'example.com',
      spf: pass('example.net'),
      dkim: [pass('x.b.example.com'), pass('y.b.example.com'), pass('x.b.example.com'), pass('other.com')],
      resolver,
    });
    expect(resolver.asked).toEqual([
      '_dmarc.example.com',
      '_dmarc.com',
      '_dmarc.x.b.example.com',
      '_dmarc.b.example.com',
      '_dmarc.y.b.example.com',
    ]);
  });

  it('walks from a bounded number of domains, and says that it did not look at all', async () => {
    const hostile = Array.from({ length: 1000 }, (_, index) => pass(`x${index}.b.example.com`));
    const resolver = new RecordingResolver(policies({ 'example.com': record, 'b.example.com': `${record}; psd=n` }));
    const result = await evaluateDmarc({ authorDomain: 'example.com', dkim: hostile, resolver, limits: { walks: 5 } });
    expect(result).toMatchObject({ result: 'fail', limits: ['dmarc.too-many-walks'] });
    expect(result.alignment.dkim.filter(({ unresolved }) => unresolved === 'limit')).toHaveLength(996);
    expect(resolver.asked).toHaveLength(2 + 4 + 1);
  });
});
