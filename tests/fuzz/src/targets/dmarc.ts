import { evaluateDmarc, formatDmarcRecord, parseDmarcRecord, verifyReportDestination } from '@zegel/dmarc';
import type { SpfWord } from '@zegel/dmarc';
import { loadConformance } from '@zegel/test-harness';
import { isDeepStrictEqual } from 'node:util';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { toText, waitedFor, zoneLines, zoneOf } from '../zone-lines.ts';

interface Case {
  readonly headerFrom: readonly string[];
  readonly spf?: { readonly domain: string; readonly result: string } | null;
  readonly dkim?: readonly { readonly domain: string; readonly result: string }[];
  readonly dns: Readonly<Record<string, unknown>>;
}

const spfWords: readonly SpfWord[] = ['pass', 'fail', 'softfail', 'neutral', 'none', 'temperror', 'permerror'];
const dkimWords = ['pass', 'fail', 'policy', 'neutral', 'none', 'temperror', 'permerror'] as const;

const tags = ['p', 'sp', 'np', 'adkim', 'aspf', 'psd', 't', 'fo', 'rua', 'ruf', 'pct', 'rf', 'ri'];

/** @zegel/dmarc: records and whole evaluations. The input is three lines (authors; SPF; signatures) and a zone. */
export const dmarc: FuzzTarget = {
  name: 'dmarc',
  covers: ['dmarc'],
  tokens: [
    ...'v=DMARC1|; |;|p=none|p=quarantine|p=reject|sp=|np=|adkim=s|aspf=s|adkim=r|psd=y|psd=n|psd=u|t=y|t=n'.split('|'),
    ...'fo=0:1:d:s|rua=mailto:a@b.example!10m|ruf=|pct=0|rf=afrf|ri=1|=|,|:|%2c|_dmarc.| TXT | CNAME '.split('|'),
    ...' SERVFAIL| NXDOMAIN| TIMEOUT| A 192.0.2.1|pass |fail |temperror |example.com|a.b.c.d.e.f.g.h.i.|.|..'.split(
      '|',
    ),
    ...'xn--|\u00c3\u00bc|_report._dmarc.|\n|\t| '.split('|'),
  ],
  seeds: () => {
    const { cases } = loadConformance<{ readonly cases: readonly Case[] }>('dmarc/verify.json');
    const { records } = loadConformance<{ readonly records: readonly { readonly record: string }[] }>(
      'dmarc/records.json',
    );
    return [
      ...cases.map(({ headerFrom, spf, dkim = [], dns }) => [
        headerFrom.map(domainOf).join(' '),
        !spf ? '' : `${spf.result} ${spf.domain}`,
        dkim.map(({ result, domain }) => `${result} ${domain}`).join(' '),
        ...zoneLines(dns),
      ]),
      ...records.map(({ record }) => [
        'sub.example.com',
        'pass mail.example.com',
        'pass example.com fail example.org',
        `_dmarc.example.com TXT ${record.replaceAll('\n', ' ')}`,
      ]),
    ].map((lines) => Buffer.from(lines.join('\n'), 'latin1'));
  },
  run: async (input) => {
    const [authors = '', spfLine = '', dkimLine = '', ...lines] = toText(input).split('\n');
    const faults = lines.flatMap((line) => readRecord(line.slice(line.indexOf(' TXT ') + 5)));
    const authorDomains = authors.split(' ').filter((domain) => domain !== '');
    const [spfWord = '', spfDomain = ''] = spfLine.split(' ', 2);
    const spfResult = spfWords.find((word) => word === spfWord);
    const pairs = dkimLine.split(' ');
    const dkim = pairs.flatMap((word, at) => {
      const result = dkimWords.find((one) => one === word);
      return result === undefined ? [] : [{ result, domain: pairs[at + 1] ?? '' }];
    });
    const resolver = zoneOf(lines);
    const subject = {
      authorDomains,
      ...(spfResult === undefined ? {} : { spf: { result: spfResult, domain: spfDomain } }),
      dkim,
    };
    const verdict = await evaluateDmarc({ ...subject, resolver });
    const waited = await evaluateDmarc({ ...subject, resolver: waitedFor(resolver) });
    must(isDeepStrictEqual(waited, verdict), 'another verdict when the answers are waited for');
    const { alignment } = verdict;
    const identifiers = [...(alignment.spf === undefined ? [] : [alignment.spf]), ...alignment.dkim];
    const passes = identifiers.some(({ aligned, result }) => aligned && result === 'pass');
    must(identifiers.length === dkim.length + (spfResult === undefined ? 0 : 1), 'an identifier is lost');
    must(
      (verdict.result === 'pass') === (passes && verdict.policy !== undefined),
      'the verdict is not what the table says',
    );
    must(verdict.result !== 'fail' || verdict.policy !== undefined, 'a fail without a policy');
    must(!/[\r\n\0]/.test(verdict.explanation), 'an explanation of several lines');
    const [destination] = verdict.policy?.rua ?? [];
    if (destination !== undefined) {
      const options = { policyDomain: verdict.policy?.domain ?? '', uri: destination, resolver };
      faults.push((await verifyReportDestination(options)).status);
    }
    return [
      ...faults,
      verdict.code,
      verdict.disposition,
      ...(verdict.limits ?? []),
      `walk-${verdict.evidence.walk.length}`,
    ];
  },
};

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function readRecord(text: string): readonly string[] {
  const parsed = parseDmarcRecord(text);
  if (parsed.kind === 'other') return [parsed.kind];
  if (parsed.kind === 'usable') {
    const again = parseDmarcRecord(formatDmarcRecord(parsed.record));
    must(again.kind === 'usable' && isDeepStrictEqual(again.record, parsed.record), 'a record read back differs');
  }
  return [
    parsed.kind,
    ...parsed.faults.map(({ problem, tag }) => (tags.includes(tag) ? `${problem} ${tag}` : problem)),
  ];
}
