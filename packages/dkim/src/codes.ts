/**
 * Every outcome of a DKIM check: the RFC 8601 word it is reported with, and what to tell a person. Texts hold
 * `{placeholders}` that are filled from the result, and nothing else in this package holds prose, so that another
 * language is another table.
 */

/** RFC 8601 §2.7.1. */
export type DkimResultWord = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror';

interface CodeText {
  readonly result: DkimResultWord;
  readonly explanation: string;
  readonly advice?: string;
}

export const dkimCodes = {
  'dkim.pass': {
    result: 'pass',
    explanation: 'The signature of {domain} (selector {selector}) holds: the signed fields and the body are unchanged.',
  },
  'dkim.none': {
    result: 'none',
    explanation: 'The message has no DKIM-Signature field.',
    advice: 'If this is your mail, sign it on the way out.',
  },
  'dkim.body-hash-mismatch': {
    result: 'fail',
    explanation: 'The body is not the one that {domain} signed: its hash differs from bh=.',
    advice:
      'Look for what changes bodies after signing: a footer, a virus scanner, a line over 998 octets that was refolded, a conversion from 8bit.',
  },
  'dkim.header-and-body-mismatch': {
    result: 'fail',
    explanation:
      'The signature of {domain} (selector {selector}) fits neither the signed header fields nor the body, so it does not tell what {domain} signed.',
    advice:
      'Both were changed after signing, or the key at {keyName} is not the one that signed, or somebody else wrote the signature.',
  },
  'dkim.signature-mismatch': {
    result: 'fail',
    explanation: 'The signature of {domain} (selector {selector}) does not fit the signed header fields.',
    advice:
      'Either a signed field was changed, added or removed after signing, or the key at {keyName} is not the one that signed.',
  },
  'dkim.expired': {
    result: 'fail',
    explanation: 'The signature of {domain} expired at {expiration}.',
    advice:
      'A message seen long after it was sent may be a replay. If it is late mail, raise x= above the queue lifetime.',
  },
  'dkim.timestamp-in-future': {
    result: 'fail',
    explanation: 'The signature of {domain} says it was made at {timestamp}, which lies in the future.',
    advice: 'Check the clock of the signing machine and of this one.',
  },
  'dkim.body-not-covered': {
    result: 'policy',
    explanation:
      'The signature of {domain} holds, but l= makes it cover {bodyLength} of {canonicalBodyLength} octets of the body: anyone may have added the rest.',
    advice: 'Sign without l=.',
  },
  'dkim.too-many-signatures': {
    result: 'policy',
    explanation: 'Not checked: the message has more signatures than the {limit} that are looked at.',
    advice: 'Sign with one or two keys of the author domain: more signatures than that help nobody.',
  },
  'dkim.key-too-short': {
    result: 'policy',
    explanation: 'The RSA key at {keyName} has {keyBits} bits; fewer than 1024 prove nothing (RFC 8301).',
    advice: 'Publish and use a key of 2048 bits.',
  },
  'dkim.key-too-long': {
    result: 'policy',
    explanation: 'The RSA key at {keyName} has {keyBits} bits, more than is checked here.',
    advice: 'Use a key of 2048 to 4096 bits.',
  },
  'dkim.key-exponent': {
    result: 'policy',
    explanation: 'The RSA key at {keyName} has an unusual public exponent, which is not checked here.',
    advice: 'Use a key with the exponent 65537.',
  },
  'dkim.dns-failure': {
    result: 'temperror',
    explanation: 'The key at {keyName} could not be fetched: {reason}.',
    advice: 'Try again later; if it stays so, look at the name servers of {domain}.',
  },
  'dkim.no-key': {
    result: 'permerror',
    explanation: 'There is no key at {keyName}.',
    advice:
      'Publish the TXT record for selector {selector}, or stop signing with it. A record of another kind is no key, whoever put it there, a wildcard or a hand.',
  },
  'dkim.several-keys': {
    result: 'permerror',
    explanation: 'There is more than one key record at {keyName}; which one is meant is undefined (RFC 6376 §3.6.2.2).',
    advice: 'Leave one record, and give each key a selector of its own.',
  },
  'dkim.too-many-records': {
    result: 'permerror',
    explanation: 'There are more than {limit} TXT records at {keyName}, so none of them is read.',
    advice: 'Leave the key record alone there; records that a wildcard puts there can go elsewhere.',
  },
  'dkim.key-syntax': {
    result: 'permerror',
    explanation: 'The record at {keyName} cannot be read as a key record.',
    advice: 'Look for a record that was cut at 255 characters, or for stray quotes.',
  },
  'dkim.key-unreadable': {
    result: 'permerror',
    explanation: 'p= of the record at {keyName} is not a public key.',
    advice:
      'Look for a record that was cut at 255 characters or pasted with line breaks. An Ed25519 key is its 32 octets alone, without the DER that openssl writes around them (RFC 8463 §4.2).',
  },
  'dkim.key-revoked': {
    result: 'permerror',
    explanation: 'The key at {keyName} was revoked: its p= is empty.',
    advice: 'Stop signing with selector {selector}. Publish a new key under another one, and sign with that.',
  },
  'dkim.key-type-mismatch': {
    result: 'permerror',
    explanation: 'The signature uses {algorithm}, the key at {keyName} is of another type.',
    advice: 'Give each algorithm a selector of its own.',
  },
  'dkim.key-hash-not-allowed': {
    result: 'permerror',
    explanation: 'The key at {keyName} does not allow the hash of {algorithm} (h=).',
    advice: 'Take h= out of the record, or let it list sha256.',
  },
  'dkim.key-service-type': {
    result: 'permerror',
    explanation: 'The key at {keyName} is not meant for mail (s=).',
    advice: 'Take s= out of the record, or let it list email.',
  },
  'dkim.identity-not-domain': {
    result: 'permerror',
    explanation: 'The key at {keyName} demands that i= be exactly at {domain} (t=s), and {identity} is not.',
    advice: 'Sign without i=, or with one at {domain}; or take t=s out of the record.',
  },
  'dkim.algorithm-obsolete': {
    result: 'permerror',
    explanation: 'The signature uses {algorithm}, which no longer counts (RFC 8301 §3.1).',
    advice: 'Sign with rsa-sha256.',
  },
  'dkim.algorithm-unsupported': {
    result: 'permerror',
    explanation: 'The signature uses {algorithm}, which is not known here.',
    advice: 'Sign with rsa-sha256, and beside it with ed25519-sha256 if wanted.',
  },
  'dkim.body-length-exceeds': {
    result: 'permerror',
    explanation: 'l= says {bodyLength} octets, and the body has only {canonicalBodyLength}.',
    advice: 'Sign without l=. If it was right when the message was signed, the body was cut on the way.',
  },
  'dkim.signature-syntax': {
    result: 'permerror',
    explanation: 'The DKIM-Signature field cannot be read as a list of tags.',
    advice: 'Look at the program that signs, and at whatever may have rewritten the field since.',
  },
  'dkim.signature-too-long': {
    result: 'permerror',
    explanation: 'The DKIM-Signature field is longer than {limit} bytes.',
    advice: 'Sign without z=, and with fewer names in h=.',
  },
  'dkim.repeated-tag': {
    result: 'permerror',
    explanation: 'The tag {tag}= stands in the DKIM-Signature field more than once.',
    advice: 'Correct the program that signs: RFC 6376 §3.2 lets each tag stand once.',
  },
  'dkim.version-unsupported': {
    result: 'permerror',
    explanation: 'The DKIM-Signature field is not of version 1.',
    advice: 'Sign with v=1 (RFC 6376 §3.5).',
  },
  'dkim.missing-tag': {
    result: 'permerror',
    explanation: 'The DKIM-Signature field lacks the tag {tag}=.',
    advice: 'Correct the program that signs: v=, a=, b=, bh=, d=, h= and s= must be there (RFC 6376 §3.5).',
  },
  'dkim.invalid-tag': {
    result: 'permerror',
    explanation: 'The tag {tag}= of the DKIM-Signature field has an invalid value.',
    advice: 'Correct the program that signs, or its configuration: RFC 6376 §3.5 says what {tag}= may hold.',
  },
  'dkim.from-not-signed': {
    result: 'permerror',
    explanation: 'The signature does not cover From (h=), so it says nothing about the author.',
    advice: 'Let h= name From when signing (RFC 6376 §5.4).',
  },
  'dkim.identity-outside-domain': {
    result: 'permerror',
    explanation: 'i= names an identity outside the signing domain {domain}.',
    advice: 'Sign without i=, or with a d= that is the domain of i= or lies above it.',
  },
  'dkim.query-method-unsupported': {
    result: 'permerror',
    explanation: 'The key is to be fetched by a method other than dns/txt (q=).',
    advice: 'Sign without q=, or with q=dns/txt.',
  },
  'dkim.too-many-signed-fields': {
    result: 'permerror',
    explanation: 'h= lists more than {limit} names.',
    advice: 'Let h= name what a reader sees and what decides how the body is shown, and no more.',
  },
} as const satisfies Record<string, CodeText>;

export type DkimCode = keyof typeof dkimCodes;

/** Appended when the domain says it is only testing (t=y) and the signature does not hold. */
export const testingNote = '{domain} is testing DKIM (t=y), so this counts as no signature.';

/** Why a message is not signed, for logs and errors. What it means for a person is in the table of `@zegel/signing`. */
export const unsignableTexts = {
  'message.no-header': 'The message has no header: it is empty or begins with its body.',
  'message.no-from': 'The message has no From field, so it has no author to sign for.',
  'message.cut-off': 'The message ends in the middle of its header.',
  'message.malformed-field': 'Line {field} of the header, folds not counted, is not a header field.',
  'message.repeated-field': 'The field {field} occurs {found} times, and one is allowed.',
  'message.bare-line-ends':
    'The message mixes line ends: a CR or LF stands alone in it. Mail is CRLF throughout, and receivers would change it.',
  'message.limit-exceeded': 'The header is above the limit {limit}: {found}, and {allowed} is allowed.',
} as const satisfies Record<string, string>;
