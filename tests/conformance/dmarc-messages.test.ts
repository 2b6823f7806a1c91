/** DMARC on whole messages: SPF, DKIM and policy of the rspamd suite, as RFC 9989 has them. */
import { authenticate } from '@zegel/authentication';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { conformanceFile, loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';

interface Expectation {
  readonly result: string;
  readonly policy?: string;
}

interface Case {
  readonly id: string;
  readonly file: string;
  readonly ip: string;
  readonly helo: string;
  readonly mailfrom: string;
  readonly expect: Expectation;
  readonly expectRfc9989?: Expectation;
}

const { dns, cases } = loadConformance<{ dns: ZoneDeclaration; cases: readonly Case[] }>('dmarc/rspamd.json');

describe('conformance: DMARC on whole messages', () => {
  it.each(cases)('$id', async (each) => {
    const { report } = await authenticate(
      conformanceFile(`dmarc/${each.file}`),
      { session: { ip: each.ip, helo: each.helo }, envelope: { mailFrom: each.mailfrom } },
      { resolver: new ZoneResolver(dns), authservId: 'mx.example.net', now: new Date('2026-11-24T02:00:00Z') },
    );
    const { result, policy } = each.expectRfc9989 ?? each.expect;
    expect(report.dmarc.result, report.dmarc.code).toBe(result);
    expect(policy === undefined ? undefined : report.dmarc.disposition, report.dmarc.code).toBe(policy);
  });
});
