/**
 * Every outcome of an evaluation: its word in Authentication-Results, and what a person is told. Words in braces are
 * filled in; the texts are here and nowhere else, so that another language is another table.
 */
import { fillTexts } from '@zegel/message';

/** The words registered for `dmarc` in Authentication-Results. */
export type DmarcWord = 'none' | 'pass' | 'fail' | 'temperror' | 'permerror';

interface Outcome {
  readonly result: DmarcWord;
  readonly explanation: string;
  readonly advice?: string;
}

export const dmarcCodes = {
  'dmarc.pass-both': {
    result: 'pass',
    explanation: 'SPF and DKIM both authenticate this message for {authorDomain}.',
  },
  'dmarc.pass-dkim': {
    result: 'pass',
    explanation: 'A DKIM signature of {dkimDomain} authenticates this message for {authorDomain}.',
  },
  'dmarc.pass-spf': {
    result: 'pass',
    explanation: 'SPF for {spfDomain} authenticates this message for {authorDomain}; no aligned DKIM signature does.',
    advice:
      'Sign with DKIM for {authorDomain} too: SPF does not survive forwarding, and passes for everybody who may use the same servers.',
  },
  'dmarc.not-aligned': {
    result: 'fail',
    explanation:
      'The message is authenticated for {identifiers}, but none of these belongs to the author domain {authorDomain}. The policy of {policyDomain} for such mail is "{policy}".',
    advice:
      'A sender of {authorDomain} should sign with a DKIM domain that matches it, or use a matching envelope sender. Mailing lists and forwarders also cause this: do not reject for the policy alone.',
  },
  'dmarc.not-authenticated': {
    result: 'fail',
    explanation:
      'Neither SPF nor a DKIM signature authenticates this message for any domain. The policy of {policyDomain} for such mail from {authorDomain} is "{policy}".',
    advice:
      'A sender of {authorDomain} should sign its mail with DKIM and name its servers in SPF. Forwarding breaks SPF, and changed content breaks DKIM: do not reject for the policy alone.',
  },
  'dmarc.no-record': {
    result: 'none',
    explanation: 'No DMARC record is published for {authorDomain} or above it.',
    advice: 'To be told how the domain is used, publish at _dmarc.{authorDomain}: v=DMARC1; p=none; rua=mailto:…',
  },
  'dmarc.several-records': {
    result: 'none',
    explanation: '{name} holds more than one DMARC record, so that none of them counts, and no other record applies.',
    advice: 'Leave exactly one record that begins with v=DMARC1 at {name}.',
  },
  'dmarc.record-unusable': {
    result: 'none',
    explanation:
      'The DMARC record at {name} has no valid policy and no valid address for reports, so that it does not apply.',
    advice: 'Give the record a policy: p=none, p=quarantine or p=reject, and correct or remove sp and np.',
  },
  'dmarc.policy-temporary-failure': {
    result: 'temperror',
    explanation: 'The DMARC policy for {authorDomain} is not known: the look-up of {name} failed ({reason}).',
    advice: 'Try again later. Should it last, the name servers of that name need attention.',
  },
  'dmarc.alignment-temporary-failure': {
    result: 'temperror',
    explanation:
      'Whether {identifier} belongs to the author domain {authorDomain} is not known: the look-up of {name} failed ({reason}).',
    advice: 'Try again later. Should it last, the name servers of that name need attention.',
  },
  'dmarc.identifier-temporary-error': {
    result: 'temperror',
    explanation:
      'Nothing has authenticated this message for {authorDomain} so far, but the check of {identifier}, which could, ended in a temporary error.',
    advice: 'Try again later.',
  },
  'dmarc.existence-temporary-failure': {
    result: 'temperror',
    explanation:
      'The message is not authenticated for {authorDomain}, and {policyDomain} asks for different handling when that name does not exist, which is not known: its look-up failed ({reason}).',
    advice: 'Try again later. Should it last, the name servers of that name need attention.',
  },
  'dmarc.no-author-domain': {
    result: 'permerror',
    explanation: 'The message has no author domain: its From field is missing or holds no address.',
    advice: 'RFC 5322 asks for one From field with an address. Such mail may be refused.',
  },
  'dmarc.invalid-author-domain': {
    result: 'permerror',
    explanation: 'The domain of the From address, "{authorDomain}", is no domain name.',
    advice: 'Such mail cannot be answered, and may be refused.',
  },
  'dmarc.several-author-domains': {
    result: 'permerror',
    explanation: 'The message has authors in several domains ({authorDomains}), so that no policy speaks for it.',
    advice: 'Few people send such mail, and attackers do. It may be refused.',
  },
} as const satisfies Record<string, Outcome>;

/** A stable name for an outcome. */
export type DmarcCode = keyof typeof dmarcCodes;

/** The words in braces of a text. */
type Placeholders<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;

type TextsOf<Code extends DmarcCode> =
  | (typeof dmarcCodes)[Code]['explanation']
  | ((typeof dmarcCodes)[Code] extends { readonly advice: infer Advice } ? Advice : never);

/** The values the texts of a code need. */
export type OutcomeValues<Code extends DmarcCode> = { readonly [Name in Placeholders<TextsOf<Code>>]: string };

/** What is written in a result about its outcome. */
export interface DmarcOutcome {
  readonly result: DmarcWord;
  readonly code: DmarcCode;
  readonly explanation: string;
  readonly advice?: string;
}

/** The outcome of a code with its texts filled in. */
export function describeOutcome<Code extends DmarcCode>(code: Code, values: OutcomeValues<Code>): DmarcOutcome {
  const { result } = dmarcCodes[code];
  const { explanation, advice } = fillTexts(dmarcCodes[code], values);
  return advice === undefined ? { result, code, explanation } : { result, code, explanation, advice };
}
