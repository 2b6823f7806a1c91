import { keptWith } from '@zegel/dns';
import { fieldsAmong } from '@zegel/message';
import type { Header, HeaderField } from '@zegel/message';
import { SignedFieldsError } from './errors.ts';

/**
 * Which header fields a signature covers. Names are in lower case; one that h= cannot say is a {@link SignedFieldsError} for
 * who signs. From always is, named here or not (RFC 6376 §5.4).
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

/** What a mail server on the way adds to a message that has none. */
const completedOnTheWay: readonly string[] = ['date', 'message-id'];

/** What a signature covers of a header. */
export interface Coverage {
  /** h=, in order. */
  readonly names: readonly string[];
  /** The fields that are signed, in order: there are more names than fields where one is oversigned. */
  readonly fields: readonly HeaderField[];
}

/**
 * What a signature over a set of fields covers, the oversigned ones first. All of it: whoever cannot sign so many does not sign,
 * or the rest could be changed unseen. A name takes its fields from the bottom up (RFC 6376 §5.4.2).
 */
export function coverage(header: Header, set: SignedFieldSet): Coverage {
  const wanted = namesOf(set);
  const names: string[] = [];
  const fields: HeaderField[] = [];
  for (const [at, found] of fieldsAmong(header, wanted.names).entries()) {
    const name = wanted.names[at] ?? '';
    const isOversigned = at < wanted.oversigned && (found.length > 0 || !completedOnTheWay.includes(name));
    for (let from = found.length - 1; from >= 0; from--) {
      const field = found[from];
      if (field !== undefined) fields.push(field);
      names.push(name);
    }
    if (isOversigned) names.push(name);
  }
  return { names, fields };
}

/** The names of a set, each once, and how many of them are oversigned: the first ones. */
interface WantedNames {
  readonly names: readonly string[];
  readonly oversigned: number;
}

/** Whether h= can say a name, in lower case: a field name (RFC 5322 §3.6.8) without a semicolon (RFC 6376 §3.2). */
export function isSignableName(name: string): boolean {
  return /^[!-9<-@[-~]+$/.test(name);
}

/** Kept with the sets, of which a configuration has a few. */
const namesOf = keptWith((set: SignedFieldSet): WantedNames => {
  const all = [...set.oversigned, ...set.whenPresent];
  const wrong = all.find((name) => !isSignableName(name));
  if (wrong !== undefined) throw new SignedFieldsError(wrong);
  const oversigned = new Set(set.whenPresent.includes('from') ? set.oversigned : ['from', ...set.oversigned]);
  return { names: [...new Set([...oversigned, ...set.whenPresent])], oversigned: oversigned.size };
});
