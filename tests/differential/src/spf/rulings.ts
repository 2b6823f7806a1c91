import type { SpfResult } from '@zegel/spf';
import type { Ruling } from '../ruling.ts';
import type { SpfCase } from './case.ts';

/** Our result for a case, and the word of the peer that differs. */
export interface SpfSituation {
  readonly subject: SpfCase;
  readonly ours: SpfResult;
  readonly result: string;
  /** The peer's explanation of an error. */
  readonly detail: string;
}

/** Every disagreement about SPF that is settled. */
export const spfRulings: readonly Ruling<SpfSituation>[] = [
  {
    id: 'mailauth: final dot of HELO',
    peer: 'mailauth',
    what: 'takes a HELO name that ends in a dot for no domain',
    standard:
      'RFC 7208 §4.3: "If the <domain> is malformed (e.g., label longer than 63 characters, zero-length label not at the end, etc.) […], check_host() immediately returns the result "none"."',
    applies: ({ subject, result }) => result === 'none' && hasDottedIdentity(subject),
  },
  {
    id: 'pyspf: final dot of HELO',
    peer: 'pyspf',
    what: 'takes a HELO name that ends in a dot for no domain',
    standard: 'RFC 7208 §4.3, as above: a zero-length label at the end is not malformed.',
    applies: ({ subject, result }) => result === 'none' && hasDottedIdentity(subject),
  },
  {
    id: 'mailauth: look-up of no host name',
    peer: 'mailauth',
    what: 'asks nothing when macros make a target name that no host can have, such as an address or one label; we ask, and count the term and the void look-up',
    standard:
      'RFC 7208 leaves open what a target name that is no host name comes to (§4.3 speaks of <domain> alone). A record that spends its terms or its void look-ups on such names is a permerror (§4.6.4).',
    applies: ({ ours }) =>
      (ours.code === 'spf.too-many-void-lookups' || ours.code === 'spf.too-many-lookups') &&
      voidTerms(ours).some((term) => term.includes('%')),
  },
  {
    id: 'mailauth: ptr of one label',
    peer: 'mailauth',
    what: 'lets no name of the client match a ptr whose macros make a target name of one label',
    standard:
      'RFC 7208 §5.5: "Check all validated domain names to see if they either match the <target-name> domain or are a subdomain of the <target-name> domain." A top-level domain has subdomains.',
    applies: ({ ours }) => /^[-+~?]?ptr:.*%/iu.test(ours.evidence.matched?.term ?? ''),
  },
  {
    id: 'mailauth: void look-ups of %{p}',
    peer: 'mailauth',
    what: 'counts two void look-ups for one term, when the client has no name for %{p} and the target name none either',
    standard:
      'RFC 7208 §4.6.4: "it is useful to limit the number of "terms" for which DNS queries return either a positive answer (RCODE 0) with an answer count of 0, or a "Name Error" (RCODE 3) answer."',
    applies: ({ ours, detail }) =>
      detail.includes('Too many void DNS results') &&
      ours.evidence.trace.some(({ text, lookups }) => /%\{p/i.test(text) && lookups.some(({ type }) => type === 'PTR')),
  },
  {
    id: 'pyspf: void look-ups of addresses',
    peer: 'pyspf',
    what: 'counts every question without an answer: of the hosts under mx and ptr, of %{p}, of redirect and include, of terms not reached',
    standard:
      'RFC 7208 §4.6.4: "it is useful to limit the number of "terms" for which DNS queries return either a positive answer (RCODE 0) with an answer count of 0, or a "Name Error" (RCODE 3) answer."',
    applies: ({ result, detail }) => result === 'permerror' && detail.includes('Void lookup limit'),
  },
  {
    id: 'pyspf: look-ups of %{p}',
    peer: 'pyspf',
    what: 'does not count the PTR query of a %{p} among the ten look-ups',
    standard:
      'RFC 7208 §4.6.4: "When evaluating the "ptr" mechanism or the %{p} macro, the number of "PTR" resource records queried is included in the overall limit of 10 mechanisms/modifiers that cause DNS lookups as described above."',
    applies: ({ ours }) =>
      ours.code === 'spf.too-many-lookups' &&
      ours.evidence.trace.some(
        ({ text, lookups }) => /%\{p/iu.test(text) && lookups.some(({ type }) => type === 'PTR'),
      ),
  },
  {
    id: 'pyspf: redirect not reached',
    peer: 'pyspf',
    what: 'counts redirect= among the ten look-ups when it reads the record, used or not',
    standard:
      'RFC 7208 §6.1: "If all mechanisms fail to match, and a "redirect" modifier is present, then processing proceeds as follows".',
    applies: ({ subject, ours, detail }) =>
      detail.includes('Too many DNS lookups') &&
      ours.code !== 'spf.too-many-lookups' &&
      JSON.stringify(subject.dns).includes('redirect='),
  },
  {
    id: 'pyspf: include of itself not reached',
    peer: 'pyspf',
    what: 'refuses a record that includes its own domain behind the term that matches',
    standard:
      'RFC 7208 §4.6.2: "If it matches, processing ends and the qualifier value is returned as the result of that record."',
    applies: ({ result, detail }) => result === 'permerror' && detail.includes('include has trivial recursion'),
  },
  {
    id: 'pyspf: ten hosts of mx',
    peer: 'pyspf',
    what: 'refuses an answer of more than ten MX records although one of the first ten matches',
    standard:
      'RFC 7208 §4.6.4: "the evaluation of each "MX" record MUST NOT result in querying more than 10 address records […]. If this limit is exceeded, the "mx" mechanism MUST produce a "permerror" result."',
    applies: ({ ours, detail }) => detail.includes('More than 10 MX records') && ours.code !== 'spf.too-many-mx-hosts',
  },
  {
    id: 'pyspf: repeated unknown modifier',
    peer: 'pyspf',
    what: 'refuses an unknown modifier that stands twice',
    standard:
      'RFC 7208 §6: "Unrecognized modifiers MUST be ignored no matter where, or how often, they appear in a record."',
    applies: ({ detail }) => /\b(?!redirect|exp)[\w.-]+= MUST appear at most once/u.test(detail),
  },
  {
    id: 'pyspf: broken macros',
    peer: 'pyspf',
    what: 'takes macros that the grammar does not know (zero parts, other delimiters, no closing brace) as text',
    standard:
      'RFC 7208 §7.1: macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-", and §7.3: "If a DIGIT is specified, the value MUST be nonzero."',
    applies: ({ ours }) => ours.code === 'spf.syntax-error' && String(ours.evidence.values['term']).includes('%'),
  },
  {
    id: 'pyspf: %% at the end of a name',
    peer: 'pyspf',
    what: 'refuses a name that is, or ends in, "%%"',
    standard: 'RFC 7208 §7.1: "A literal "%" is expressed by "%%"."',
    applies: ({ subject, detail }) =>
      detail.includes('invalid-macro-char') && JSON.stringify(subject.dns).includes('%%'),
  },
  {
    id: 'pyspf: empty target name',
    peer: 'pyspf',
    what: 'refuses a record when macros make an empty target name, reached or not; we ask nothing for it, and it does not match',
    standard: 'RFC 7208 leaves open what a target name that is no host name comes to (§4.3 speaks of <domain> alone).',
    applies: ({ subject, detail }) => detail.includes('empty domain') && subject.helo.endsWith('.'),
  },
];

/** The terms whose own question found nothing. */
function voidTerms(ours: SpfResult): readonly string[] {
  return ours.evidence.trace
    .filter(({ lookups }) => lookups.some(({ status }) => status === 'nxdomain' || status === 'nodata'))
    .map(({ text }) => text);
}

/** A null reverse-path, and a HELO name with a final dot: the identity that is checked. */
function hasDottedIdentity({ mailFrom, helo }: SpfCase): boolean {
  return mailFrom === '' && helo.endsWith('.');
}
