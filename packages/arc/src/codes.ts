/**
 * Every outcome of a chain validation: its word in Authentication-Results, and what to tell a person. Texts hold
 * `{placeholders}` that are filled from the result, and nothing else in this package holds prose, so that another
 * language is another table.
 */

/** RFC 8617 §4.4 and §10.2. There is no word for a temporary error: see `arc.dns-failure`. */
export type ArcResultWord = 'none' | 'pass' | 'fail';

interface CodeText {
  readonly result: ArcResultWord;
  readonly explanation: string;
  readonly advice?: string;
}

export const arcCodes = {
  'arc.none': {
    result: 'none',
    explanation: 'The message has no ARC fields: nobody who passed it on has vouched for what they saw.',
    advice: 'Nothing is to be done, unless this is mail you pass on and change: then seal it.',
  },
  'arc.pass': {
    result: 'pass',
    explanation:
      'The chain of {sets} ARC sets holds, the newest sealed by {domain}. It proves who passed the message on, and not that they are honest.',
  },
  'arc.chain-ended': {
    result: 'fail',
    explanation: 'Set {instance} says that the chain was broken when it arrived there (cv=fail). Nothing mends that.',
    advice: 'Look for a forwarder below set {instance} that changes messages without sealing them.',
  },
  'arc.too-many-sets': {
    result: 'fail',
    explanation: 'The message has more than {limit} ARC sets.',
    advice: 'A mail loop is the likely cause.',
  },
  'arc.too-long': {
    result: 'fail',
    explanation: 'Not checked: the ARC fields together have more than {limit} bytes.',
    advice: 'Look for a mail loop, or for a sealer that writes very long results.',
  },
  'arc.field-too-long': {
    result: 'fail',
    explanation: 'Not checked: an {field} field has more than {limit} bytes.',
    advice: 'Whoever seals should sign fewer fields and write shorter results.',
  },
  'arc.instance-invalid': {
    result: 'fail',
    explanation: 'An {field} field does not say which set it belongs to: it has no i= from 1 to 50.',
    advice: 'Look at the program that seals: every field of a set begins with its instance (RFC 8617 §4.2.1).',
  },
  'arc.repeated-field': {
    result: 'fail',
    explanation: 'Set {instance} has more than one {field} field.',
    advice: 'Look for a server that copies fields, or seals without counting on from the last set.',
  },
  'arc.missing-field': {
    result: 'fail',
    explanation: 'Set {instance} has no {field} field.',
    advice: 'A set is three fields. Look for a server that removes fields it does not know.',
  },
  'arc.missing-set': {
    result: 'fail',
    explanation: 'There is no set {instance}, though there are later ones.',
    advice: 'Look for a server that removes fields it does not know.',
  },
  'arc.tag-syntax': {
    result: 'fail',
    explanation: 'An {field} field cannot be read as a list of tags.',
    advice: 'Look at the program that seals, and at whatever may have rewritten the field since.',
  },
  'arc.repeated-tag': {
    result: 'fail',
    explanation: 'The tag {tag}= stands in an {field} field more than once.',
    advice: 'Look at the program that seals: each tag stands once (RFC 6376 §3.2).',
  },
  'arc.missing-tag': {
    result: 'fail',
    explanation: 'The {field} field of set {instance} lacks the tag {tag}=.',
    advice: 'Look at the program that seals: RFC 8617 §4.1 says which tags must be there.',
  },
  'arc.invalid-tag': {
    result: 'fail',
    explanation: 'The tag {tag}= in the {field} field of set {instance} has an invalid value.',
    advice: 'Look at the program that seals: RFC 8617 §4.1 says what {tag}= may hold.',
  },
  'arc.cv-unexpected': {
    result: 'fail',
    explanation: 'Set {instance} says cv={cv}. The first set must say none, every other pass.',
    advice:
      'Look at the program that seals: cv= is none in the first set, and pass or fail in every other (RFC 8617 §5.1).',
  },
  'arc.seal-has-fields': {
    result: 'fail',
    explanation: 'The ARC-Seal field of set {instance} has an h= tag, which it must not (RFC 8617 §4.1.3).',
    advice: 'Look at the program that seals: a seal covers the ARC sets and nothing else.',
  },
  'arc.seal-covered': {
    result: 'fail',
    explanation: 'The ARC-Message-Signature field of set {instance} covers ARC-Seal, which it must not.',
    advice: 'Look at the program that seals: RFC 8617 §4.1.2 keeps ARC fields out of h=.',
  },
  'arc.from-not-signed': {
    result: 'fail',
    explanation:
      'The ARC-Message-Signature field of set {instance} does not cover From (h=), so it says nothing about the author.',
    advice: 'Look at the program that seals: h= must name From.',
  },
  'arc.too-many-signed-fields': {
    result: 'fail',
    explanation: 'h= in the ARC-Message-Signature field of set {instance} lists more than {limit} names.',
    advice: 'Whoever seals should let h= name fewer fields.',
  },
  'arc.message-signature-failed': {
    result: 'fail',
    explanation: 'The newest ARC-Message-Signature, that of set {instance}, does not hold. {why}',
    advice:
      'Whoever handled the message after {domain} changed it without sealing it. A forwarder that changes messages must seal last.',
  },
  'arc.seal-failed': {
    result: 'fail',
    explanation: 'The ARC-Seal of set {instance} does not hold. {why}',
    advice: 'ARC fields were changed on the way, or the key of {domain} was taken away too early.',
  },
  'arc.dns-failure': {
    result: 'fail',
    explanation: 'A key of the chain could not be fetched, so it counts as broken (RFC 8617 §5.2.1). {why}',
    advice: 'While the message can still be put off, answer with a temporary error and try again later.',
  },
} as const satisfies Record<string, CodeText>;

export type ArcCode = keyof typeof arcCodes;

/** Why a chain is not extended, beside the reasons not to sign of `@zegel/dkim`. */
export const unsealedTexts = {
  'arc.chain-ended': 'The chain ended with cv=fail before; nothing is added to it (RFC 8617 §5.1).',
  'arc.chain-full': 'The chain has 50 sets already, and no message may have more.',
  'arc.chain-unreadable': 'The ARC fields are too many or too long to be read, so their number is not known.',
} as const;
