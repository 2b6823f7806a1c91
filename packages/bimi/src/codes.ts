/**
 * Every outcome of a check: its word in Authentication-Results, and what a person is told. Words in braces are filled in;
 * the texts are here and nowhere else, so that another language is another table.
 */

/** The words of the BIMI draft for `bimi` in Authentication-Results. */
export type BimiWord = 'pass' | 'none' | 'fail' | 'skipped' | 'declined' | 'temperror';

interface Outcome {
  readonly result: BimiWord;
  readonly explanation: string;
  readonly advice?: string;
}

export const bimiCodes = {
  'bimi.pass-evidence': {
    result: 'pass',
    explanation: 'The indicator of {domain} is valid, and a mark certificate of {issuer} vouches for it.',
  },
  'bimi.pass-no-evidence': {
    result: 'pass',
    explanation: 'The indicator of {domain} is valid, but nobody else than the domain itself vouches for it.',
    advice:
      'Show it only for domains you trust. The owner of {domain} can have the mark certified and name the certificate in a=.',
  },
  'bimi.declined': {
    result: 'declined',
    explanation: 'The record at {dnsName} says that the domain wants no indicator to be shown.',
    advice: 'Show none.',
  },
  'bimi.no-record': {
    result: 'none',
    explanation: 'No BIMI record is published for the selector {selector} of {authorDomain}, or of its organization.',
    advice: 'To have one shown, publish a record (v=BIMI1; l=…; a=…) at {selector}._bimi.{authorDomain}.',
  },
  'bimi.dmarc-not-passed': {
    result: 'skipped',
    explanation: 'BIMI needs a message that passes DMARC; the result of DMARC is {dmarc}.',
    advice: 'Make the message pass DMARC: the verdict on DMARC says what is in the way.',
  },
  'bimi.dmarc-not-enforced': {
    result: 'skipped',
    explanation: 'BIMI needs a domain that enforces its DMARC policy, and that of {authorDomain} does not: {problem}.',
    advice:
      'Publish p=quarantine or p=reject, without sp=none, t=y or pct, for the domain and its organizational domain.',
  },
  'bimi.several-authors': {
    result: 'skipped',
    explanation: 'BIMI needs a message with exactly one author, and this one has several, or none that can be read.',
    advice: 'Send the message with one author.',
  },
  'bimi.selector-invalid': {
    result: 'fail',
    explanation: 'The BIMI-Selector field of the message cannot be used: {problem}.',
    advice: 'Send one field of the form "BIMI-Selector: v=BIMI1; s=selector", or none.',
  },
  'bimi.several-records': {
    result: 'fail',
    explanation: '{dnsName} holds more than one BIMI record, so that none of them counts.',
    advice: 'Leave exactly one record that begins with v=BIMI1 at {dnsName}.',
  },
  'bimi.record-too-long': {
    result: 'fail',
    explanation: 'The text at {dnsName} is longer than a BIMI record may be here.',
    advice: 'Shorten the URLs in the record.',
  },
  'bimi.record-unusable': {
    result: 'fail',
    explanation: 'The BIMI record at {dnsName} cannot be used: {problem}.',
    advice:
      'The record needs an https URL of the indicator in l=, and one of the mark certificate in a=, or an empty a=.',
  },
  'bimi.dns-temporary-failure': {
    result: 'temperror',
    explanation: 'Whether {authorDomain} has an indicator is not known: the look-up of {dnsName} failed.',
    advice: 'Try again later. Should it last, the name servers of that name need attention.',
  },
  'bimi.location-refused': {
    result: 'fail',
    explanation: 'The {document} at {url} is not fetched: {problem}.',
    advice: 'Serve it over https on port 443, from a host with a domain name and public addresses only.',
  },
  'bimi.document-unavailable': {
    result: 'fail',
    explanation: 'The {document} at {url} cannot be had: {problem}.',
    advice: 'Serve it at that very URL, with the right media type and within the size that BIMI allows.',
  },
  'bimi.document-temporary-failure': {
    result: 'temperror',
    explanation: 'The {document} at {url} could not be fetched now: {problem}.',
    advice: 'Try again later. Should it last, that web server needs attention.',
  },
  'bimi.indicator-invalid': {
    result: 'fail',
    explanation: 'The indicator at {url} is no valid SVG Tiny PS: {problem}.',
    advice: 'Convert the image to the profile "tiny-ps": a title, no scripts, no animation, nothing from elsewhere.',
  },
  'bimi.certificate-invalid': {
    result: 'fail',
    explanation: 'The mark certificate at {url} is not valid: {problem}.',
    advice: 'Serve the certificate and its chain as the authority issued them, and renew them in time.',
  },
  'bimi.certificate-domain-mismatch': {
    result: 'fail',
    explanation: 'The mark certificate at {url} was not issued for {domain}.',
    advice: 'Have the authority name the domain in the certificate.',
  },
  'bimi.certificate-mark-invalid': {
    result: 'fail',
    explanation: 'The mark in the certificate at {url} cannot be used: {problem}.',
    advice: 'Ask the authority for a certificate that holds the mark as SVG Tiny PS.',
  },
  'bimi.indicator-mismatch': {
    result: 'fail',
    explanation: 'The indicator at {url} is not the one the mark certificate vouches for.',
    advice: 'Publish exactly the file that was certified.',
  },
} as const satisfies Record<string, Outcome>;

/** A stable name for an outcome. */
export type BimiCode = keyof typeof bimiCodes;

/** The words in braces of a text. */
type Placeholders<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;

type TextsOf<Code extends BimiCode> =
  | (typeof bimiCodes)[Code]['explanation']
  | ((typeof bimiCodes)[Code] extends { readonly advice: infer Advice } ? Advice : never);

/** The values the texts of a code need. */
export type OutcomeValues<Code extends BimiCode> = { readonly [Name in Placeholders<TextsOf<Code>>]: string };
