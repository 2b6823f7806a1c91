import { ZoneError } from '@zegel/dns';
import { parseHeader } from '@zegel/message';
import { SpfInputError, checkHelo, checkHost, formatReceivedSpf, parseRecord, spfLimits } from '@zegel/spf';
import type { SpfResult } from '@zegel/spf';
import { loadConformance } from '@zegel/test-harness';
import { isDeepStrictEqual } from 'node:util';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { toText, waitedFor, zoneLines, zoneOf } from '../zone-lines.ts';

interface Suite {
  readonly zones: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly cases: readonly {
    readonly ip: string;
    readonly helo: string;
    readonly mailfrom: string;
    readonly zone: string;
  }[];
}

/** Two record look-ups, an explanation, and for each counted term itself, its hosts and a reverse look-up with its names. */
const maxQueries = 3 + 10 * (1 + 10 + 1 + 10);

/** @zegel/spf: records and whole checks. The input is three lines (ip, helo, mail from) and a zone. */
export const spf: FuzzTarget = {
  name: 'spf',
  covers: ['spf'],
  tokens: [
    ...'v=spf1 | TXT | A | AAAA | MX | PTR | CNAME | SERVFAIL| NXDOMAIN| TIMEOUT| all| -all| ~all| ?all'.split('|'),
    ...' include:| redirect=| exp=| a| a:| mx| mx/24//64| mx:| ptr| ptr:| exists:| ip4:| ip6:|/0|/32|//0'.split('|'),
    ...'//128|%{i}|%{s}|%{l}|%{o}|%{d}|%{p}|%{v}|%{h}|%{ir}|%{d1r-+}|%{c}|%{r}|%{t}|%{S}|%%|%_|%-|%{|%{d0}'.split('|'),
    ...'%{d999999999999}|::1|::ffff:192.0.2.1|192.0.2.1|in-addr.arpa|ip6.arpa|.|..|@|\n|x=|A.x=y|example.com'.split(
      '|',
    ),
    ...'2001:db8::|\u00ff|\0'.split('|'),
  ],
  seeds: () =>
    ['rfc7208-tests', 'rfc4408-tests', 'rspamd', 'stalwart'].flatMap((name) => {
      const suite = loadConformance<Suite>(`spf/${name}.json`);
      return suite.cases.map(({ ip, helo, mailfrom, zone }) => {
        const session = [ip, helo, mailfrom].map((line) => toText(Buffer.from(line)).replaceAll('\n', ' '));
        const lines = zoneLines(suite.zones[zone] ?? {});
        return Buffer.from([...session, ...lines].join('\n'), 'latin1');
      });
    }),
  run: async (input) => {
    const [ip = '', helo = '', mailFrom = '', ...lines] = toText(input).split('\n');
    const faults = lines.map((line) => {
      const parsed = parseRecord(Buffer.from(line.slice(line.indexOf(' TXT ') + 5), 'latin1'));
      return parsed.ok ? 'record' : parsed.error.fault;
    });
    try {
      const resolver = zoneOf(lines);
      const options = { ip, helo, resolver, now: new Date('2026-11-24T00:00:00Z') };
      const mailFromResult = await checkHost({ ...options, mailFrom });
      const waited = await checkHost({ ...options, mailFrom, resolver: waitedFor(resolver) });
      must(isDeepStrictEqual(waited, mailFromResult), 'another result when the answers are waited for');
      const results = [mailFromResult, await checkHelo(options)];
      return [...faults, ...results.flatMap(check)];
    } catch (error) {
      if (error instanceof SpfInputError || error instanceof ZoneError) return [...faults, error.code];
      throw error;
    }
  },
};

function check(result: SpfResult): readonly string[] {
  const { counts, trace } = result.evidence;
  const isOver = result.code.startsWith('spf.too-many');
  must(isOver || counts.lookupTerms <= spfLimits.maxLookupTerms, 'more terms than the limit');
  must(isOver || counts.voidLookups <= spfLimits.maxVoidLookups, 'more void look-ups than the limit');
  must(counts.queries <= maxQueries, 'more questions than the limits make possible');
  must(trace.length <= spfLimits.maxTraceEntries, 'a trace above its limit');
  must(!/[^\x20-\x7e]/.test(result.explanationText ?? ''), "the owner's words are not printable");
  const field = Buffer.from(formatReceivedSpf(result, 'mx.example'));
  const { fields } = parseHeader(field);
  must(fields.length === 1 && fields[0]?.name === 'received-spf', 'Received-SPF is not one field');
  must(!/\r(?!\n)|(?<!\r)\n|\0/.test(field.toString('latin1')), 'Received-SPF holds a bare line end');
  const steps = trace.map(({ step, outcome, text }) => `${step} ${outcome} ${/^[+?~-]?[a-z0-9]{0,8}/.exec(text)?.[0]}`);
  return [result.code, ...steps];
}
