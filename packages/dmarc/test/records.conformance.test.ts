import { ZoneResolver } from '@zegel/dns';
import { loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { evaluateDmarc, parseDmarcRecord, verifyReportDestination } from '../src/index.ts';

interface RecordCase {
  readonly id: string;
  readonly record: string;
  readonly usable: boolean;
  readonly expect?: {
    readonly p?: string;
    readonly sp?: string;
    readonly adkim?: string;
    readonly aspf?: string;
    readonly rua?: string[];
    readonly ruf?: string[];
  };
}

interface AlignmentCase {
  readonly a: string;
  readonly b: string;
  readonly mode: 'strict' | 'relaxed';
  readonly aligned: boolean;
}

interface ReportingCase {
  readonly policyDomain: string;
  readonly reportDomain: string;
  /** The texts at `<policyDomain>._report._dmarc.<reportDomain>`; null when the name does not exist. */
  readonly record: readonly string[] | 'SERVFAIL' | null;
  readonly accepted: boolean;
}

const suite = loadConformance<{
  records: readonly RecordCase[];
  alignment: readonly AlignmentCase[];
  externalReporting: readonly ReportingCase[];
}>('dmarc/records.json');

/** Where RFC 9989 says otherwise than the suite, which follows RFC 7489 or an implementation's own liberty. */
const decidedByRfc9989: Readonly<Record<string, string>> = {
  'mox-bad-8': '§4.8: only v has a fixed place, so p may stand behind sp',
  'mox-bad-33': '§4.8 obs-dmarc-report-size: any number of digits, to be ignored',
  'opendmarc-45': '§4.8 dmarc-request: "n" is no policy',
  'opendmarc-50': '§4.8: an invalid adkim takes its default',
  'opendmarc-51': '§4.8: an invalid aspf takes its default',
  'opendmarc-52': '§4.7: rf is not a tag any more and is ignored',
  'opendmarc-53': '§4.7: ri is not a tag any more and is ignored',
  'opendmarc-54': '§4.7: pct is not a tag any more and is ignored',
  'opendmarc-59': '§4.7: rf is not a tag any more and is ignored',
};

describe('dmarc/records: which records can be used', () => {
  it('holds the 60 records this suite is known to have', () => {
    expect(suite.records).toHaveLength(60);
  });

  for (const testCase of suite.records) {
    const rule = decidedByRfc9989[testCase.id];
    it(`${testCase.id}: ${rule ? `against the suite, ${rule}` : testCase.record}`, () => {
      const parsed = parseDmarcRecord(testCase.record);
      expect(parsed.kind === 'usable').toBe(rule === undefined ? testCase.usable : !testCase.usable);

      const { adkim, aspf, ...tags } = testCase.expect ?? {};
      expect(parsed.kind === 'usable' ? parsed.record : {}).toMatchObject({
        ...tags,
        ...(adkim && { adkim: adkim === 's' ? 'strict' : 'relaxed' }),
        ...(aspf && { aspf: aspf === 's' ? 'strict' : 'relaxed' }),
      });
    });
  }
});

/** Names that OpenDMARC strips of their dots. */
const noDomain = new Set(['.mac.com.', '....mac.com....']);
const emptyLabel =
  'against the suite, RFC 1035 §2.3.1: a name with an empty label is no domain, and aligns with nothing';

describe('dmarc/records: alignment', () => {
  for (const { a, b, mode, aligned } of suite.alignment) {
    const expected = aligned && !noDomain.has(a);
    const rule = noDomain.has(a) ? `, ${emptyLabel}` : '';
    it(`${a} and ${b}, ${mode}: ${expected ? 'aligned' : 'not aligned'}${rule}`, async () => {
      const record = { TXT: [`v=DMARC1; p=reject; adkim=${mode === 'strict' ? 's' : 'r'}`] };
      const resolver = new ZoneResolver(
        Object.fromEntries(
          [a, b].map((domain) => [`_dmarc.${domain.split('.').filter(Boolean).slice(-2).join('.')}`, record]),
        ),
      );
      const { alignment } = await evaluateDmarc({ authorDomain: a, dkim: [{ domain: b, result: 'pass' }], resolver });
      expect(alignment.dkim[0]?.aligned).toBe(expected);
    });
  }
});

/** mox reads such a record strictly. */
const authorizedByRfc9990 = new Set(['malformed.example']);
const leniently =
  'against the suite, RFC 9990 §4 asks for a tag list that begins with v=DMARC1, and RFC 9989 §4.8 passes over the rest';

describe('dmarc/records: reports to another domain', () => {
  for (const { policyDomain, reportDomain, record, accepted } of suite.externalReporting) {
    const expected = accepted || authorizedByRfc9990.has(reportDomain);
    const rule = authorizedByRfc9990.has(reportDomain) ? `, ${leniently}` : '';
    it(`${policyDomain} at ${reportDomain}: ${expected ? 'accepted' : 'not accepted'}${rule}`, async () => {
      const entry = record === null ? 'NXDOMAIN' : record === 'SERVFAIL' ? record : { TXT: record };
      const destination = await verifyReportDestination({
        policyDomain,
        uri: `mailto:reports@${reportDomain}`,
        resolver: new ZoneResolver({ [`${policyDomain}._report._dmarc.${reportDomain}`]: entry }),
      });
      expect(destination.status === 'authorized').toBe(expected);
    });
  }
});
