import { fillTemplate } from '@zegel/message';

/**
 * Why a field body could not be read: stable codes, which rules, logs and tests may compare, with their words. The words
 * hold `{placeholders}` that are filled from the failure, and no others are in this package, so that another language is
 * another table.
 */
export const authResultsTexts = {
  'auth-results.too-long': 'Longer than {limit} characters.',
  'auth-results.control-character':
    'A control character, or a CR or LF that is not part of a fold, at offset {offset}.',
  'auth-results.non-ascii': 'Not {charset} at offset {offset}.',
  'auth-results.syntax': 'Expected {expected} at offset {offset}.',
  'auth-results.unsupported-version': 'The version is not 1: its grammar is not known.',
  'auth-results.comment-too-deep': 'Comments nest deeper than {limit}.',
  'auth-results.too-many-results': 'More than {limit} results.',
  'auth-results.too-many-properties': 'More than {limit} properties of one result.',
} as const satisfies Record<string, string>;

export type AuthResultsCode = keyof typeof authResultsTexts;

/** What the grammar asks for (RFC 8601 §2.2, RFC 8617 §4.1.1), the `{expected}` of `auth-results.syntax`. */
export const expectationTexts = {
  field: 'Authentication-Results',
  'authserv-id': 'an authserv-id',
  'instance-tag': '"i=" and the ARC instance',
  'instance-equals': '"=" behind "i"',
  instance: 'an ARC instance from 1 to 50',
  'instance-end': '";" behind the ARC instance',
  'first-result': '";" and a result',
  method: 'a method',
  'method-equals': '"=" behind the method',
  result: 'a result',
  'method-version': 'a method version',
  gap: 'white space, ";" or the end',
  property: 'a property',
  'property-type': 'a property (type, ".", name)',
  'reason-equals': '"=" behind "reason"',
  reason: 'a reason',
  'property-name': 'the name of a property',
  'property-equals': '"=" behind the property',
  'local-part': 'a local part',
  'domain-name': 'a domain name',
  'property-value': 'a property value',
  'comment-end': 'the ")" that ends a comment',
  'quote-end': 'the quote that ends a quoted-string',
  'quoted-character': 'a printable character behind a backslash',
} as const satisfies Record<string, string>;

export type Expectation = keyof typeof expectationTexts;

/** What a failure is about, beside its place. */
export interface FailureFacts {
  /** What was expected where reading stopped. */
  readonly expected?: Expectation;
  /** The limit that was exceeded. */
  readonly limit?: number;
  /** What the text is not. */
  readonly charset?: 'UTF-8' | 'US-ASCII';
}

/** A field body that could not be read, with the place where reading stopped. */
export interface ParseFailure extends FailureFacts {
  readonly ok: false;
  readonly code: AuthResultsCode;
  /** A sentence for a person. Holds nothing from the field. */
  readonly explanation: string;
  /** Offset into the text that was given, in UTF-16 code units. */
  readonly offset: number;
}

/** A failure with its words filled in. */
export function parseFailure(code: AuthResultsCode, offset: number, facts: FailureFacts = {}): ParseFailure {
  const { expected } = facts;
  const values = { ...facts, offset, ...(expected === undefined ? {} : { expected: expectationTexts[expected] }) };
  return { ok: false, code, explanation: fillTemplate(authResultsTexts[code], values), offset, ...facts };
}
