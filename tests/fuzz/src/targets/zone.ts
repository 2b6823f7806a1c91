import { ZoneError, ZoneResolver, parseZone } from '@zegel/dns';
import type { RecordType } from '@zegel/dns';
import { loadConformance } from '@zegel/test-harness';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';

const types: readonly RecordType[] = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'TLSA', 'CNAME', 'SOA', 'NS'];
const statuses: ReadonlySet<string> = new Set(['found', 'nodata', 'nxdomain', 'temporary-failure']);

/** Zone files: a malformed one is a ZoneError, any other answers every question. The input is JSON. */
export const zone: FuzzTarget = {
  name: 'zone',
  covers: ['dns'],
  tokens: [
    ...'{|}|[|]|,|:|"|""|null|1e309|-1|65536|"TXT":|"A":|"MX":|[10,"a.example"]|"CNAME":|"TLSA":'.split('|'),
    ...'[3,1,1,"ab"]|"SOA":|"NS":|"type":"TXT"|"data":|"timeout":"*"|"NXDOMAIN"|"SERVFAIL"|"TIMEOUT"'.split('|'),
    ...'"__proto__":|"constructor":|"a.example"|"A.EXAMPLE."|"xn--"|"\u00c3\u00bc.example"|"192.0.2.1"|"::1"'.split(
      '|',
    ),
    ...'"."'.split('|'),
  ],
  seeds: () => {
    const suite = loadConformance<{ readonly zones: Readonly<Record<string, unknown>> }>('spf/rfc7208-tests.json');
    const { cases } = loadConformance<{ readonly cases: readonly { readonly dns: unknown }[] }>('dmarc/verify.json');
    const written = [
      '{"a.example":{"SOA":[["a.example","b.example",1,2,3,4,5]],"NS":["a.example"],"TLSA":[[3,1,1,"ab12"]]},"b.example":"SERVFAIL"}',
      '{"a.example":[{"type":"CNAME","data":"b.example"},{"timeout":"*"}],"b.example":{"CNAME":["a.example"],"PTR":["."]}}',
    ];
    const zones = [...Object.values(suite.zones), ...cases.slice(0, 20).map(({ dns }) => dns)];
    return [...written, ...zones.map((one) => JSON.stringify(one))].map((text) => Buffer.from(text));
  },
  run: async (input) => {
    let value: unknown;
    try {
      value = JSON.parse(input.toString('utf8'));
    } catch {
      return ['no JSON'];
    }
    const words: string[] = [];
    for (const badRecords of ['throw', 'omit'] as const) {
      try {
        const parsed = parseZone(value, { badRecords });
        const resolver = new ZoneResolver(parsed);
        for (const name of [...[...parsed.keys()].slice(0, 5), 'absent.example']) {
          for (const type of types) {
            const { status } = await resolver.resolve(name, type);
            must(statuses.has(status), 'an answer of no known kind');
            words.push(status);
          }
        }
      } catch (error) {
        if (!(error instanceof ZoneError)) throw error;
        words.push(error.code);
      }
    }
    return words;
  },
};
