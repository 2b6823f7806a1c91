/**
 * What an SPF check can come to: the one table of codes, with the result each stands for and its words. The words
 * are templates; `{placeholders}` are filled from the values a check returns, so another language is another table.
 */
import { fillTexts } from '@zegel/message';
import type { SpfSyntaxFault } from './record.ts';

/** The results of check_host() (RFC 7208 §2.6). */
export type SpfResultWord = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

/** Stable names of everything a check can come to. */
export type SpfCode =
  | 'spf.pass'
  | 'spf.pass-any-host'
  | 'spf.fail'
  | 'spf.softfail'
  | 'spf.neutral'
  | 'spf.no-match'
  | 'spf.no-domain'
  | 'spf.invalid-domain'
  | 'spf.domain-not-found'
  | 'spf.no-record'
  | 'spf.multiple-records'
  | 'spf.syntax-error'
  | 'spf.include-without-record'
  | 'spf.redirect-without-record'
  | 'spf.loop'
  | 'spf.too-many-lookups'
  | 'spf.too-many-void-lookups'
  | 'spf.too-many-mx-hosts'
  | 'spf.dns-timeout'
  | 'spf.dns-failure'
  | 'spf.resolver-failure'
  | 'spf.deadline-exceeded';

/** Words of one code. */
export interface SpfCodeText {
  /** A sentence for a person. */
  readonly explanation: string;
  /** What can be done, and by whom. */
  readonly advice?: string;
}

/** The result word of each code. */
export const spfCodeResults: Readonly<Record<SpfCode, SpfResultWord>> = {
  'spf.pass': 'pass',
  'spf.pass-any-host': 'pass',
  'spf.fail': 'fail',
  'spf.softfail': 'softfail',
  'spf.neutral': 'neutral',
  'spf.no-match': 'neutral',
  'spf.no-domain': 'none',
  'spf.invalid-domain': 'none',
  'spf.domain-not-found': 'none',
  'spf.no-record': 'none',
  'spf.multiple-records': 'permerror',
  'spf.syntax-error': 'permerror',
  'spf.include-without-record': 'permerror',
  'spf.redirect-without-record': 'permerror',
  'spf.loop': 'permerror',
  'spf.too-many-lookups': 'permerror',
  'spf.too-many-void-lookups': 'permerror',
  'spf.too-many-mx-hosts': 'permerror',
  'spf.dns-timeout': 'temperror',
  'spf.dns-failure': 'temperror',
  'spf.resolver-failure': 'temperror',
  'spf.deadline-exceeded': 'temperror',
};

/** The words in English. */
export const spfTexts: Readonly<Record<SpfCode, SpfCodeText>> = {
  'spf.pass': {
    explanation: '{identity} permits {ip} to send its mail: "{term}" in the SPF record of {domain} matches.',
  },
  'spf.pass-any-host': {
    explanation:
      '{identity} permits every host to send its mail ("{term}" in the SPF record of {domain}), so this pass says nothing about {ip}.',
    advice: 'The owner of {domain} should name the hosts that send its mail and end the record in "-all" or "~all".',
  },
  'spf.fail': {
    explanation: '{identity} says that {ip} may not send its mail: "{term}" in the SPF record of {domain} matches.',
    advice:
      'If {ip} sends for {identity} legitimately, its owner should add the address to the SPF record; a forwarder should rewrite the envelope sender.',
  },
  'spf.softfail': {
    explanation:
      '{identity} says that {ip} probably may not send its mail: "{term}" in the SPF record of {domain} matches.',
    advice:
      'If {ip} sends for {identity} legitimately, its owner should add the address to the SPF record; a forwarder should rewrite the envelope sender.',
  },
  'spf.neutral': {
    explanation: '{identity} makes no statement about {ip}: "{term}" in the SPF record of {domain} matches.',
    advice: 'The owner of {domain} should say more: "-all" or "~all" at the end of the record.',
  },
  'spf.no-match': {
    explanation: 'No term in the SPF record of {domain} matches {ip}, and the record does not say what that means.',
    advice: 'The owner of {domain} should end the record in "-all" or "~all".',
  },
  'spf.no-domain': {
    explanation: 'There is no domain to check: neither an envelope sender nor a HELO name was given.',
    advice: 'The sending host should give its name in HELO.',
  },
  'spf.invalid-domain': {
    explanation: '"{domain}" is not a domain name that can publish an SPF record.',
    advice: 'The sending host should use a fully qualified domain name.',
  },
  'spf.domain-not-found': {
    explanation: 'The domain {domain} does not exist.',
    advice: 'Mail from a domain that does not exist cannot be answered; many receivers refuse it.',
  },
  'spf.no-record': {
    explanation: '{domain} publishes no SPF record.',
    advice: 'The owner of {domain} should publish one; "v=spf1 -all" for a domain that sends no mail.',
  },
  'spf.multiple-records': {
    explanation: '{domain} publishes {count} SPF records, so none of them counts.',
    advice: 'The owner of {domain} should merge them into one TXT record.',
  },
  'spf.syntax-error': {
    explanation: 'The SPF record of {domain} has an error at "{term}" (octet {position}): {fault}.',
    advice: 'The owner of {domain} should correct the record; until then none of it counts.',
  },
  'spf.include-without-record': {
    explanation: 'The SPF record of {domain} has "{term}", but {name} publishes no SPF record.',
    advice: 'The owner of {domain} should remove the term or correct the name in it.',
  },
  'spf.redirect-without-record': {
    explanation: 'The SPF record of {domain} has "{term}", but {name} publishes no SPF record.',
    advice: 'The owner of {domain} should remove the modifier or correct the name in it.',
  },
  'spf.loop': {
    explanation: 'The SPF record of {domain} has "{term}", which leads back to {name}: evaluation would never end.',
    advice: 'The owner of {domain} should remove the term.',
  },
  'spf.too-many-lookups': {
    explanation:
      'The SPF record of {identity} needs more than {limit} terms that query the DNS; the limit is passed at "{term}" of {domain}.',
    advice: 'The owner of {identity} should remove includes or replace terms by the addresses they stand for.',
  },
  'spf.too-many-void-lookups': {
    explanation:
      'More than {limit} terms in the SPF record of {identity} ask for names that have no such record; the limit is passed at "{term}" of {domain}.',
    advice: 'The owner of {domain} should remove terms whose names no longer exist.',
  },
  'spf.too-many-mx-hosts': {
    explanation: '"{term}" of {domain} leads to {name}, which has more than {limit} MX hosts.',
    advice: 'The owner of {domain} should replace the term by addresses.',
  },
  'spf.dns-timeout': {
    explanation: 'The DNS did not answer in time when asked for the {type} records of {name}.',
    advice: 'Try again later; if it stays so, the name servers of {name} need attention.',
  },
  'spf.dns-failure': {
    explanation: 'The DNS failed ({reason}) when asked for the {type} records of {name}.',
    advice: 'Try again later; if it stays so, the name servers of {name} need attention.',
  },
  'spf.resolver-failure': {
    explanation: 'The DNS could not be asked for the {type} records of {name} ({reason}).',
    advice: 'Try again later; if it stays so, the name servers that the receiving host asks need attention.',
  },
  'spf.deadline-exceeded': {
    explanation: 'The SPF check of {identity} took longer than it may and was ended.',
    advice: 'Try again later.',
  },
};

/** What is wrong with a record, in English; the `{fault}` of `spf.syntax-error`. */
export const spfFaultTexts: Readonly<Record<SpfSyntaxFault, string>> = {
  version: 'it does not begin with "v=spf1"',
  'record-too-long': 'the record is too long',
  'invalid-character': 'only printable US-ASCII characters and spaces may stand in a record',
  'unknown-mechanism': 'there is no such mechanism',
  'unexpected-argument': 'the mechanism does not take what follows its name',
  'missing-domain': 'a domain name must follow',
  'invalid-domain': 'the domain does not end in a dot and a top-level label, or in a macro',
  'address-as-domain': 'an address stands where a domain name must; "ip4:" takes addresses',
  'invalid-ip4': 'an IPv4 address of four decimal numbers must follow',
  'invalid-ip6': 'an IPv6 address must follow',
  'invalid-prefix-length': 'the prefix length is not a number that such an address can have',
  'repeated-modifier': 'the modifier may stand in a record only once',
  'macro-syntax': 'a "%" does not begin a macro',
  'macro-unknown': 'there is no such macro',
  'macro-zero': 'a macro cannot keep zero parts',
  'macro-explanation-only': 'the macro may stand only in an explanation text',
};

/** Values for placeholders. They come from the mail and the DNS. */
export type SpfValues = Readonly<Record<string, string>>;

/** A table of words in one language. */
export interface SpfLanguage {
  readonly codes: Readonly<Record<SpfCode, SpfCodeText>>;
  readonly faults: Readonly<Record<SpfSyntaxFault, string>>;
}

/**
 * The words for a code, with the values of a result filled in. Values are made printable and cut (see `fillTemplate` of
 * `@zegel/message`): a sentence can stand on one line wherever it is shown. Linear in the values.
 */
export function describeSpf(
  code: SpfCode,
  values: SpfValues,
  language: SpfLanguage = { codes: spfTexts, faults: spfFaultTexts },
): SpfCodeText {
  const text = language.codes[code];
  const { fault } = values;
  const filling =
    fault !== undefined && isFault(fault, language) ? { ...values, fault: language.faults[fault] } : values;
  return fillTexts(text, filling);
}

function isFault(value: string, language: SpfLanguage): value is SpfSyntaxFault {
  return Object.hasOwn(language.faults, value);
}
