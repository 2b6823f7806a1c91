/**
 * Whole messages with envelope and DNS, and the words another milter wrote for them. Upstream's own extras (x-*, senderid,
 * dkim-adsp) are left out.
 */
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
const asserted = cases.filter((each) => methods.some((method) => each.expect[method] !== undefined));

/** Where we say something else, and why. */
const differences: Readonly<Record<string, Partial<Record<Method, readonly [answer: string, rule: string]>>>> = {
  'authmilter/dmarc_reject_wl': { dkim: ['permerror', 'RFC 8301 §3.1: rsa-sha1 no longer counts'] },
};

describe('conformance: end to end', () => {
  it.each(asserted)('$id', async (each) => {
    const { report } = await authenticate(
      conformanceFile(`e2e/${each.file}`),
      { session: { ip: each.ip, helo: each.helo }, envelope: { mailFrom: each.mailfrom } },
      { resolver, authservId: 'mx.example.net', now: new Date('2026-11-24T02:00:00Z') },
    );
    const words = {
      dkim: report.dkim.map(({ result }) => result),
      spf: [report.spf.mailFrom.result],
      dmarc: [report.dmarc.result],
      iprev: report.iprev === undefined ? [] : [report.iprev.result],
    };
    for (const method of methods) {
      const difference = differences[each.id]?.[method];
      const expected = difference === undefined ? each.expect[method] : [difference[0]];
      const why = [...report.dkim, report.spf.mailFrom, report.dmarc].map(({ code }) => code).join(', ');
      expect(expected === undefined ? undefined : words[method], `${method}: ${why}`).toEqual(expected);
    }
  });
});
