/**
 * Every outcome of the verb sign(), with what to tell a person. `{placeholders}` are filled from the evidence; nothing
 * else in this package holds prose, so that another language is another table.
 */

interface CodeText {
  readonly result: 'signed' | 'refused';
  readonly explanation: string;
  readonly advice?: string;
}

export const signingCodes = {
  'signing.signed': {
    result: 'signed',
    explanation: 'Signed for {domain} with {selectors}; the author domain is {authorDomain}.',
  },
  'signing.signed-other-domain': {
    result: 'signed',
    explanation:
      'Signed for {domain} with {selectors}, as the signing table says. That is neither the author domain {authorDomain} nor above it, so the signature says nothing about the author.',
    advice: 'Add a key for the author domain: DMARC needs a signature that fits the author.',
  },
  'signing.not-permitted': {
    result: 'refused',
    explanation: 'The submitter may not sign for {authorDomain}.',
    advice: 'Use a login or token that is mapped to this author, or map it.',
  },
  'signing.domain-mismatch': {
    result: 'refused',
    explanation: '{requestedDomain} was asked for, and it is neither the author domain {authorDomain} nor above it.',
    advice: 'A signature of another domain says nothing about the author. Leave the domain out, or correct From.',
  },
  'signing.unknown-domain': {
    result: 'refused',
    explanation: 'There are no keys for {lookedFor}: the domain is not known here.',
    advice: 'Add the domain and a key for it, and publish the key record.',
  },
  'signing.no-active-key': {
    result: 'refused',
    explanation: 'The domain {domain} is known here and has no active key.',
    advice: 'Activate a key whose record is published.',
  },
  'signing.identity-outside-domain': {
    result: 'refused',
    explanation: 'The identity {detail} that was asked for (i=) is no address at {domain} or below it.',
    advice: 'Leave the identity out, or take one of the signing domain.',
  },
  'signing.several-author-domains': {
    result: 'refused',
    explanation: 'From names authors of several domains: {authorDomain}.',
    advice: 'Send the message with one author, or name the others elsewhere.',
  },
  'message.bytes-not-exact': {
    result: 'refused',
    explanation:
      'The octets of the message may have been changed on the way to the signer, so a signature might not hold.',
    advice: 'Hand the message over by a door that keeps its octets: the milter, /v1/sign or /checkv2.',
  },
  'message.no-header': {
    result: 'refused',
    explanation: 'The message has no header: it is empty or begins with its body.',
    advice: 'Send the message as it would go over SMTP: header fields, an empty line, the body.',
  },
  'message.no-from': {
    result: 'refused',
    explanation: 'The message has no From field, so it has no author to sign for.',
    advice: 'Add a From field.',
  },
  'message.several-from': {
    result: 'refused',
    explanation: 'The message has more than one From field, and programs disagree on which one counts.',
    advice: 'Leave one From field.',
  },
  'message.from-too-long': {
    result: 'refused',
    explanation: 'The From field is longer than is read here.',
    advice: 'Name fewer authors.',
  },
  'message.from-unparsable': {
    result: 'refused',
    explanation: 'From cannot be read without doubt ({detail}).',
    advice: 'Write it as Name <local-part@domain>, with quotes around a name that holds special characters.',
  },
  'message.from-domain-invalid': {
    result: 'refused',
    explanation: 'The address in From has no valid domain name.',
    advice: 'Write the address with a domain name: name@example.com.',
  },
  'message.cut-off': {
    result: 'refused',
    explanation: 'The message ends in the middle of its header.',
    advice: 'Look for what cut it: a size limit, a broken connection.',
  },
  'message.malformed-field': {
    result: 'refused',
    explanation: 'Line {field} of the header, folds not counted, is not a header field.',
    advice: 'Remove it, or put the empty line that ends the header above it.',
  },
  'message.repeated-field': {
    result: 'refused',
    explanation: 'The field {field} occurs more than once, and programs disagree on which one counts.',
    advice: 'Leave one of them.',
  },
  'message.bare-line-ends': {
    result: 'refused',
    explanation: 'The message mixes line ends: a CR or LF stands alone in it, and receivers would change it.',
    advice: 'Send CRLF throughout, or LF throughout.',
  },
  'message.limit-exceeded': {
    result: 'refused',
    explanation: 'The message is above the limit {limit}: {found}, and {allowed} is allowed.',
    advice: 'Send a smaller message, or have the limit raised.',
  },
} as const satisfies Record<string, CodeText>;

export type SigningCode = keyof typeof signingCodes;
