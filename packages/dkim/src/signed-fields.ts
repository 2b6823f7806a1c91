import { fieldNameLists } from './signature.ts';
import type { FieldIndex } from './header-data.ts';

/**
 * Which header fields a signature covers. Names are in lower case. From always is, named here or not (RFC 6376 §5.4).
 *
 * `oversigned` names stand in h= once more than they occur, so that nobody can add another one unseen (RFC 6376 §8.15). Date and
 * Message-ID are left out where there is none: a mail server adds those (RFC 6409 §8), Sendmail after its filters.
 * `whenPresent` names are covered as often as they occur: mailing lists and forwarders may add them.
 */
export interface SignedFieldSet {
  readonly oversigned: readonly string[];
  readonly whenPresent: readonly string[];
}

/**
 * What a reader sees and what decides how a body is shown is oversigned. The rest of RFC 6376 §5.4.1 is covered when it
 * is there, and so are both fields of one-click unsubscription (RFC 8058 §4). Trace fields never are.
 */
export const defaultSignedFields: SignedFieldSet = {
  oversigned: [
    'from',
    'to',
    'cc',
    'subject',
    'date',
    'reply-to',
    'message-id',
    'mime-version',
    'content-type',
    'content-transfer-encoding',
  ],
  whenPresent: [
    'sender',
    'in-reply-to',
    'references',
    'resent-date',
    'resent-from',
    'resent-to',
    'resent-cc',
    'resent-message-id',
    'list-id',
    'list-help',
    'list-unsubscribe',
    'list-unsubscribe-post',
    'list-subscribe',
    'list-post',
    'list-owner',
    'list-archive',
  ],
};

/**
 * Fields of which RFC 5322 §3.6 and RFC 2045 §3 allow one. A message with more of them shows different things to different programs,
 * so it is not signed.
 */
export const singletonFields: readonly string[] = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
];

/** What a mail server on the way adds to a message that has none. */
const completedOnTheWay: readonly string[] = ['date', 'message-id'];

/**
 * The names for h=, in order, at most `max` of them: the oversigned ones first, since they must not be missing, and From
 * before all others.
 */
export function signedFieldNames(index: FieldIndex, fields: SignedFieldSet, max: number): readonly string[] {
  const names: string[] = [];
  const from = fields.whenPresent.includes('from') ? [] : ['from'];
  for (const name of new Set([...from, ...fields.oversigned])) {
    const present = index.named(name).length;
    if (present === 0 && completedOnTheWay.includes(name)) continue;
    for (let count = present; count >= 0; count--) names.push(name);
  }
  for (const name of fields.whenPresent)
    for (let count = index.named(name).length; count > 0; count--) names.push(name);
  // The list that is kept for this text, when it is: which fields it covers has been prepared.
  const signed = names.slice(0, max);
  return fieldNameLists.get(signed.join(':')) ?? signed;
}
