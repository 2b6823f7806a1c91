import type { DnsFailure, Resolver, ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { describeSpf, parseRecord, spfCodeResults, spfFaultTexts, spfTexts } from '../src/index.ts';
import type { SpfCode, SpfMailFromOptions, SpfSyntaxFault } from '../src/index.ts';
import { checkZone, record } from './zone-check.ts';

const silent: Resolver = { resolve: () => new Promise(() => {}) };

const failing = (reason: DnsFailure): Resolver => ({
  resolve: () => Promise.resolve({ status: 'temporary-failure', reason, cnames: [] }),
});

const mxHosts = Array.from({ length: 11 }, (_, i): readonly [number, string] => [i, `mx${i}.example.com`]);
const mxAddresses = Object.fromEntries(mxHosts.map(([, name]) => [name, { A: ['198.51.100.1'] }]));

const reached: Readonly<Record<SpfCode, readonly [zone: ZoneDeclaration, options?: Partial<SpfMailFromOptions>]>> = {
  'spf.pass': [record('v=spf1 ip4:192.0.2.0/24 -all')],
  'spf.pass-any-host': [record('v=spf1 +all')],
  'spf.fail': [record('v=spf1 -all')],
  'spf.softfail': [record('v=spf1 ~all')],
  'spf.neutral': [record('v=spf1 ?all')],
  'spf.no-match': [record('v=spf1 ip4:198.51.100.1')],
  'spf.no-domain': [{}, { mailFrom: '', helo: '' }],
  'spf.invalid-domain': [{}, { mailFrom: 'user@[192.0.2.1]' }],
  'spf.domain-not-found': [{}],
  'spf.no-record': [record('google-site-verification=1')],
  'spf.multiple-records': [{ 'example.com': { TXT: ['v=spf1 -all', 'v=spf1 ~all'] } }],
  'spf.syntax-error': [record('v=spf1 a:192.0.2.1 -all')],
  'spf.include-without-record': [record('v=spf1 include:none.example.com -all')],
  'spf.redirect-without-record': [record('v=spf1 redirect=none.example.com')],
  'spf.loop': [record('v=spf1 include:example.com -all')],
  'spf.too-many-lookups': [
    record(`v=spf1 ${'a:host.example.com '.repeat(11)}-all`, { 'host.example.com': { A: ['198.51.100.1'] } }),
  ],
  'spf.too-many-void-lookups': [record('v=spf1 a:a.example.com a:b.example.com a:c.example.com -all')],
  'spf.too-many-mx-hosts': [{ 'example.com': { TXT: ['v=spf1 mx -all'], MX: mxHosts }, ...mxAddresses }],
  'spf.dns-timeout': [{ 'example.com': 'TIMEOUT' }],
  'spf.dns-failure': [{ 'example.com': 'SERVFAIL' }],
  'spf.resolver-failure': [{}, { resolver: failing('network') }],
  'spf.deadline-exceeded': [{}, { resolver: silent, limits: { maxDuration: 1 } }],
};

describe('codes', () => {
  for (const [code, [zone, options]] of Object.entries(reached)) {
    it(`${code} is reached, with every place of its words filled`, async () => {
      const result = await checkZone(zone, options);
      expect(result.code).toBe(code);
      expect(result.result).toBe(spfCodeResults[result.code]);
      const words = spfTexts[result.code];
      for (const [, name] of `${words.explanation} ${words.advice ?? ''}`.matchAll(/\{(\w+)\}/g)) {
        expect(result.evidence.values[name!], name).toMatch(/\S/);
      }
      expect(result.explanation).not.toMatch(/[{}]|\bundefined\b/);
      expect(result.advice === undefined).toBe(words.advice === undefined);
    });
  }

  it.each(['all', 'ip4:198.51.100.1/0', 'a:host.example.com/0', 'mx/0//64'])(
    'tell a pass by "%s" from one that says something',
    async (term) => {
      const zone = {
        'example.com': { TXT: [`v=spf1 ${term} -all`], MX: [[10, 'host.example.com'] as const] },
        'host.example.com': { A: ['198.51.100.1'] },
      };
      expect(await checkZone(zone)).toMatchObject({ result: 'pass', code: 'spf.pass-any-host' });
    },
  );

  it.each<[DnsFailure, SpfCode]>([
    ['timeout', 'spf.dns-timeout'],
    ['servfail', 'spf.dns-failure'],
    ['malformed', 'spf.dns-failure'],
    ['refused', 'spf.resolver-failure'],
    ['network', 'spf.resolver-failure'],
  ])('tell for %s whose name servers are to blame', async (reason, code) => {
    const result = await checkZone({}, { resolver: failing(reason) });
    expect(result).toMatchObject({ result: 'temperror', code });
    expect(result.advice).toMatch(code === 'spf.resolver-failure' ? /receiving host/ : /example\.com/);
  });

  it('are described in another language from the values of a result', async () => {
    const result = await checkZone(record('v=spf1 ip4:1.2.3 -all'));
    const dutch = {
      codes: { ...spfTexts, 'spf.syntax-error': { explanation: 'Fout in het SPF-record van {domain}: {fault}.' } },
      faults: { ...spfFaultTexts, 'invalid-ip4': 'geen IPv4-adres' },
    };
    expect(describeSpf(result.code, result.evidence.values, dutch).explanation).toBe(
      'Fout in het SPF-record van example.com: geen IPv4-adres.',
    );
  });

  it('put values from outside on one line and at a bounded length', () => {
    const { explanation } = describeSpf('spf.no-record', { domain: `a\r\nb\u2028${'x'.repeat(1000)}` });
    expect(explanation).toMatch(/^a\?\?b\?x+… publishes/);
    expect(explanation.length).toBeLessThan(400);
  });
});

const faults: Readonly<Record<SpfSyntaxFault, string>> = {
  version: 'v=spf2 -all',
  'record-too-long': `v=spf1 ${'a '.repeat(10_000)}`,
  'invalid-character': 'v=spf1 a\tmx',
  'unknown-mechanism': 'v=spf1 ip:192.0.2.1',
  'unexpected-argument': 'v=spf1 -all:example.com',
  'missing-domain': 'v=spf1 include: -all',
  'invalid-domain': 'v=spf1 a:museum',
  'address-as-domain': 'v=spf1 mx:192.0.2.1/24',
  'invalid-ip4': 'v=spf1 ip4:192.0.2',
  'invalid-ip6': 'v=spf1 ip6:2001:db8',
  'invalid-prefix-length': 'v=spf1 ip4:192.0.2.1/33',
  'repeated-modifier': 'v=spf1 redirect=a.example redirect=b.example',
  'macro-syntax': 'v=spf1 exists:%(ir).example.com',
  'macro-unknown': 'v=spf1 exists:%{x}.example.com',
  'macro-zero': 'v=spf1 exists:%{d0}.example.com',
  'macro-explanation-only': 'v=spf1 exists:%{t}.example.com',
};

describe('syntax faults', () => {
  for (const [fault, text] of Object.entries(faults)) {
    it(`${fault}: ${text.slice(0, 60)}`, () => {
      const parsed = parseRecord(text);
      expect(parsed).toMatchObject({ ok: false, error: { fault } });
    });
  }

  it('say where they are', () => {
    expect(parseRecord('v=spf1  mx a:museum -all')).toEqual({
      ok: false,
      error: { fault: 'invalid-domain', term: 'a:museum', position: 11 },
    });
    expect(parseRecord('v=spf1 mx a\u00e9b -all')).toEqual({
      ok: false,
      error: { fault: 'invalid-character', term: 'a\u00e9b', position: 11 },
    });
  });
});
