/**
 * Whole messages with envelope and DNS, and the words another milter wrote for them. Upstream's own extras (x-*, senderid,
 * dkim-adsp) are left out, and so are its cases that assert nothing else: there its configuration hides the words.
 */
import { parseAuthenticationResults } from '@zegel/auth-results';
import { authenticate } from '@zegel/authentication';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { conformanceFile, loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';

type Method = 'dkim' | 'spf' | 'dmarc' | 'iprev';

interface Case {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly ip: string;
  readonly helo: string;
  readonly mailfrom: string;
  readonly expect: { readonly [M in Method]?: readonly string[] };
}

const { dns, cases } = loadConformance<{ dns: ZoneDeclaration; cases: readonly Case[] }>('e2e/cases.json');
const resolver = new ZoneResolver(dns);
const methods = ['dkim', 'spf', 'dmarc', 'iprev'] as const;
const assertsWords = ({ expect: words }: Case): boolean => methods.some((method) => words[method] !== undefined);

/** Where we write something else, and why. */
const differences: Readonly<Record<string, { readonly method: Method; readonly word: string; readonly rule: string }>> =
  {
    'authmilter/dmarc_reject_wl': {
      method: 'dkim',
      word: 'permerror',
      rule: 'RFC 8301 §3.1: rsa-sha1 no longer counts',
    },
  };

/** What the field that goes on top of the message says of each method. */
async function writtenWords({ file, ip, helo, mailfrom }: Case): Promise<(method: Method) => readonly string[]> {
  const { report } = await authenticate(
    conformanceFile(`e2e/${file}`),
    { session: { ip, helo }, envelope: { mailFrom: mailfrom } },
    { resolver, authservId: 'mx.example.net', now: new Date('2026-11-24T02:00:00Z') },
  );
  const field = parseAuthenticationResults(report.authenticationResults);
  const results = field.ok ? field.value.results : [];
  return (method) => results.filter((each) => each.method === method).map(({ result }) => result);
}

describe('conformance: end to end', () => {
  it('holds 34 cases, of which 26 assert words', () => {
    expect(cases).toHaveLength(34);
    expect(cases.filter(assertsWords)).toHaveLength(26);
  });

  for (const each of cases.filter(assertsWords)) {
    const difference = differences[each.id];
    it(`${each.id}${difference === undefined ? '' : ` (against the suite; ${difference.rule})`}`, async () => {
      const words = await writtenWords(each);
      const asserted = methods.filter((method) => each.expect[method] !== undefined);
      const expected = asserted.map((method) =>
        difference?.method === method ? [difference.word] : each.expect[method],
      );
      expect(asserted.map((method) => words(method))).toEqual(expected);
    });
  }
});
