import { ZoneResolver } from '@zegel/dns';
import type { Resolver, ZoneDeclaration } from '@zegel/dns';
import { loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { checkHost } from '../src/index.ts';
import type { SpfResult } from '../src/index.ts';

interface Suite {
  readonly zones: Readonly<Record<string, ZoneDeclaration>>;
  readonly cases: readonly Case[];
}

interface Case {
  readonly id: string;
  readonly scenario: string;
  readonly zone: string;
  readonly ip: string;
  readonly helo: string;
  readonly mailfrom: string;
  readonly expect: readonly string[];
  /** `DEFAULT`: the domain owner's explanation must not be used. */
  readonly explanation?: string | null;
  /** What RFC 7208 asks for where the suite's author decided otherwise. */
  readonly disputed?: string;
}

/** Explanations that RFC 7208 writes in another way than the suites, which kept RFC 4408's. */
const hexCase = new Map([
  [
    'v-macro-ip6',
    {
      rule: '§7.4 writes the hexadecimal digits of an IPv6 address in %{ir} in lower case',
      rewrite: (text: string): string => text.replaceAll(/\b[0-9A-F]\b/g, (digit) => digit.toLowerCase()),
    },
  ],
]);

/** The cases whose authors chose to differ from RFC 7208, and its words for our answer. */
const disputes: Readonly<Record<string, string>> = {
  'stalwart-all-1':
    '§4.6: "If there are any syntax errors anywhere in the record, check_host() returns immediately with the result "permerror"": "ip:" is no mechanism, even behind "-all".',
  'stalwart-basic-9':
    '§4.6.4: "SPF implementations SHOULD limit "void lookups" to two": ten "a" terms name hosts that do not exist.',
  'stalwart-basic-18':
    '§2.4: the domain of the MAIL FROM identity is that of the reverse-path; the suite passed the HELO domain, which is checkHelo().',
  'stalwart-exists-2':
    '§5.7: "The resulting domain name is used for a DNS A RR lookup (even when the connection type is IPv6)": a host with AAAA only does not match.',
  'stalwart-ip-11':
    '§5: "if the <ip> is an IPv4 address, "ip6" mechanisms do not match", and only the client address is unmapped, not the network in the record.',
  'stalwart-macro-4': '§5.7: "exists" asks for A records only; the zone has an AAAA record at the expanded name.',
  'rspamd-spf/spf-fail-unresolveable-include':
    '§5.2: an included domain whose check_host() gives "none" makes the result "permerror"; "total.barf" has no record.',
  'rspamd-spf/spf-ptrs-1': '§4.6.4: three of the five "ptr" terms are void look-ups, and two are allowed.',
  'rspamd-spf/spf-ptrs-3': '§4.6.4: three of the five "ptr" terms are void look-ups, and two are allowed.',
  'rspamd-spf/spf-ptrs-4': '§4.6.4: three of the five "ptr" terms are void look-ups, and two are allowed.',
  'rspamd-spf/spf-ptrs-5': '§4.6.4: three of the five "ptr" terms are void look-ups, and two are allowed.',
  'rspamd-spf/spf-allow-dns-requests-at-limit':
    '§4.6.4: "SPF implementations MUST limit the total number of those terms to 10": the record has thirty "a" terms.',
};

const suites: readonly (readonly [name: string, file: string, total: number])[] = [
  ['RFC 7208', 'spf/rfc7208-tests.json', 203],
  ['RFC 4408', 'spf/rfc4408-tests.json', 191],
  ['Stalwart', 'spf/stalwart.json', 163],
  ['Rspamd', 'spf/rspamd.json', 40],
];

const disputed = new Set<string>();

function checkCase(
  suite: Suite,
  { ip, helo, mailfrom, zone }: Case,
  wrap: (zone: ZoneResolver) => Resolver = (zone) => zone,
): Promise<SpfResult> {
  return checkHost({ ip, helo, mailFrom: mailfrom, resolver: wrap(new ZoneResolver(suite.zones[zone]!)) });
}

for (const [name, file, total] of suites) {
  const suite = loadConformance<Suite>(file);

  describe(`${name} test suite`, () => {
    it(`has ${total} cases`, () => {
      expect(suite.cases).toHaveLength(total);
    });

    for (const test of suite.cases) {
      if (test.disputed !== undefined) disputed.add(test.id);
      const reason = test.disputed === undefined ? '' : ` (against the suite; RFC 7208 ${disputes[test.id]})`;
      it(`${test.scenario}: ${test.id}${reason}`, async () => {
        const { result, explanationText } = await checkCase(suite, test);
        expect(test.disputed === undefined ? test.expect : [test.disputed]).toContain(result);
        expect(test.explanation === 'DEFAULT' ? explanationText : undefined).toBeUndefined();
      });
    }

    it('comes to the same, step by step, when every answer has to be waited for', async () => {
      for (const test of suite.cases) {
        const waited = await checkCase(suite, test, (zone) => ({
          resolve: (name, type, options) => zone.resolve(name, type, options),
        }));
        expect(waited).toEqual(await checkCase(suite, test));
      }
    });
  });

  const explanations = suite.cases.flatMap((test) =>
    typeof test.explanation === 'string' && test.explanation !== 'DEFAULT'
      ? [{ test, explanation: test.explanation }]
      : [],
  );
  if (explanations.length === 0) continue;
  describe(`Explanations of the ${name} test suite`, () => {
    for (const { test, explanation } of explanations) {
      const other = hexCase.get(test.id);
      it(`${test.id}${other === undefined ? '' : ` (against the suite; RFC 7208 ${other.rule})`}`, async () => {
        const { explanationText } = await checkCase(suite, test);
        expect(explanationText).toBe(other?.rewrite(explanation) ?? explanation);
      });
    }
  });
}

describe('disputed cases', () => {
  it('each have the words of RFC 7208 for our answer', () => {
    expect([...disputed].toSorted()).toEqual(Object.keys(disputes).toSorted());
  });
});
