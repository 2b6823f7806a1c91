import { isDeepStrictEqual } from 'node:util';
import type { DkimVerdict } from '@zegel/authentication';
import { parseKeyRecord } from '@zegel/dkim';
import type { Ruling } from '../ruling.ts';
import type { MailCase } from './case.ts';
import { holds } from './verdict.ts';
import type { MailauthVerdict } from './verdict.ts';

/** One signature, and two verdicts on it. */
export interface SignatureSituation {
  readonly subject: MailCase;
  /** The whole message; one character is one byte. */
  readonly text: string;
  /** The DKIM-Signature field. */
  readonly field: string;
  readonly ours: DkimVerdict | undefined;
  readonly theirs: MailauthVerdict | undefined;
  /** What mailauth threw, for the whole message. */
  readonly thrown: string | undefined;
  /** TXT records where the key was asked for. */
  readonly recordCount: number;
}

/** The signatures of one selector, and how many of them a peer passes. */
export interface PeerSituation {
  readonly subject: MailCase;
  readonly text: string;
  /** The DKIM-Signature fields with this selector. */
  readonly fields: readonly string[];
  readonly ours: readonly DkimVerdict[];
  readonly passes: number;
  /** All that the peer said. */
  readonly said: string;
}

/** Every disagreement with mailauth about a signature that is settled. */
export const dkimRulings: readonly Ruling<SignatureSituation>[] = [
  {
    id: 'mailauth: fold before the first field',
    peer: 'mailauth',
    what: 'takes a first line that begins with white space for a field',
    standard: 'RFC 5322 §2.2: "Header fields are lines beginning with a field name, followed by a colon (":")".',
    applies: ({ text }) => /^[ \t]/u.test(text),
  },
  {
    id: 'mailauth: unknown canonicalization thrown',
    peer: 'mailauth',
    what: 'throws when c= is empty or only half given, so that the whole message has no verdict',
    standard:
      'RFC 6376 §4.2: "When evaluating a message with multiple signatures, a Verifier SHOULD evaluate signatures independently and on their own merits."',
    applies: ({ thrown }) => thrown?.includes('Unknown header canonicalization') === true,
  },
  {
    id: 'mailauth: no base64',
    peer: 'mailauth',
    what: 'leaves out of b= and bh= whatever is no base64',
    standard:
      'RFC 6376 §2.10: base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ]; §6.1.1: "Implementers MUST meticulously validate the format and values in the DKIM-Signature header field".',
    applies: ({ ours }) =>
      ours?.code === 'dkim.invalid-tag' && (ours.evidence.tag === 'b' || ours.evidence.tag === 'bh'),
  },
  {
    id: 'mailauth: c= of three parts',
    peer: 'mailauth',
    what: 'reads the first two parts of c= and no further',
    standard: 'RFC 6376 §3.5: sig-c-tag = %x63 [FWS] "=" [FWS] sig-c-tag-alg ["/" sig-c-tag-alg].',
    applies: ({ ours }) => ours?.code === 'dkim.invalid-tag' && ours.evidence.tag === 'c',
  },
  {
    id: 'mailauth: no names in h=',
    peer: 'mailauth',
    what: 'passes over empty names, and names with white space in them, in h=',
    standard: 'RFC 6376 §3.5: sig-h-tag = %x68 [FWS] "=" [FWS] hdr-name *( [FWS] ":" [FWS] hdr-name ).',
    applies: ({ ours }) => ours?.code === 'dkim.invalid-tag' && ours.evidence.tag === 'h',
  },
  {
    id: 'mailauth: t= in the future',
    peer: 'mailauth',
    what: 'passes a signature from the future',
    standard: 'RFC 6376 §3.5, t=: "Implementations MAY ignore signatures that have a timestamp in the future."',
    applies: ({ ours }) => ours?.code === 'dkim.timestamp-in-future',
  },
  {
    id: 'mailauth: l= beyond the body',
    peer: 'mailauth',
    what: 'passes a signature whose l= is larger than the body',
    standard:
      'RFC 6376 §3.5, l=: "The value MUST NOT be larger than the actual number of octets in the canonicalized message body."',
    applies: ({ ours }) => ours?.code === 'dkim.body-length-exceeds',
  },
  {
    id: 'mailauth: keys above the limit',
    peer: 'mailauth',
    what: 'verifies with RSA keys of any length',
    standard:
      'RFC 8301 §3.2: beyond 4096 bits, verifiers "MAY be able to validate signatures with larger keys"; ours are bounded for their cost.',
    applies: ({ ours }) => ours?.code === 'dkim.key-too-long',
  },
  {
    id: 'mailauth: any number of names in h=',
    peer: 'mailauth',
    what: 'has no limit on h=',
    standard:
      'RFC 6376 sets no limit; §6.1 lets a verifier bound its work against denial of service, and ours is 100 names.',
    applies: ({ ours }) => ours?.code === 'dkim.too-many-signed-fields',
  },
  {
    id: 'mailauth: one of several key records',
    peer: 'mailauth',
    what: 'takes the first TXT record, and no other',
    standard:
      'RFC 6376 §3.6.2.2: "TXT RRs MUST be unique for a particular selector name; that is, if there are multiple records in an RRset, the results are undefined." We pass over records of another kind and refuse several key records.',
    applies: ({ ours, theirs, recordCount }) =>
      ours?.code === 'dkim.several-keys' || (recordCount > 1 && theirs?.result === 'neutral'),
  },
  {
    id: 'mailauth: key records without white space',
    peer: 'mailauth',
    what: 'strips every white space of JavaScript from a key record before it is read, so that "DKIM 1" is DKIM1 and a line end is nothing',
    standard:
      'RFC 6376 §3.2: tag-value = [ tval *( 1*(WSP / FWS) tval ) ], tval = 1*VALCHAR: white space inside a value is part of it, and VT, FF and NBSP are not white space.',
    applies: ({ ours }) =>
      ours?.result === 'permerror' &&
      ours.code.startsWith('dkim.key-') &&
      differsStripped(ours.evidence.keyRecord ?? ''),
  },
  {
    id: 'mailauth: empty k=',
    peer: 'mailauth',
    what: 'takes an empty k= for an absent one',
    standard:
      'RFC 6376 §3.2: "Tags that have an empty value are not the same as omitted tags. […] a tag with an empty value explicitly designates the empty string as the value."',
    applies: ({ ours }) =>
      ours?.code === 'dkim.key-type-mismatch' && /(^|;)\s*k\s*=\s*(;|$)/u.test(ours.evidence.keyRecord ?? ''),
  },
  {
    id: 'mailauth: DKIM-Signature in h=',
    peer: 'mailauth',
    what: 'takes the signature itself for one of the DKIM-Signature fields that h= names',
    standard:
      'RFC 6376 §3.5, h=: "The field MUST NOT include the DKIM-Signature header field that is being created or verified but may include others."',
    applies: ({ ours }) => ours?.evidence.signedFields?.includes('dkim-signature') === true,
  },
  {
    id: 'mailauth: octets no tag may hold',
    peer: 'mailauth',
    what: 'lets control characters stand in tag values',
    standard:
      'RFC 6376 §3.2: VALCHAR = %x21-3A / %x3C-7E, "EXCLAMATION to TILDE except SEMICOLON"; §2.8: CR and LF only as a fold.',
    applies: ({ ours, field }) =>
      ours?.code === 'dkim.signature-syntax' && /[^\t\r\n -~\u0080-\u00ff]|\r(?!\n)|[^\r]\n/u.test(field),
  },
  {
    id: 'mailauth: padding of base64',
    peer: 'mailauth',
    what: 'demands the padding of base64, and compares bh= as text',
    standard:
      'RFC 6376 §2.10: base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ]: padding is optional.',
    applies: ({ ours, theirs, field }) =>
      ours?.evidence.bodyHash !== undefined &&
      ((theirs?.comment === 'invalid public key' && isOddlyPadded(tagText(ours.evidence.keyRecord ?? '', 'p'))) ||
        (theirs?.comment === 'body hash did not verify' && isOddlyPadded(tagText(field, 'bh')))),
  },
  {
    id: 'mailauth: i= in quoted-printable',
    peer: 'mailauth',
    what: 'holds the decoded local part of i= against the grammar, where an encoded "@" is then wrong',
    standard:
      'RFC 6376 §3.5: sig-i-tag = %x69 [FWS] "=" [FWS] [ Local-part ] "@" domain-name, of dkim-quoted-printable text: what "=40" stands for is no part of the grammar.',
    applies: ({ ours, theirs, field }) =>
      theirs?.comment === 'signature syntax error' &&
      ours?.code !== 'dkim.signature-syntax' &&
      /=[0-9A-F]{2}/u.test(tagText(field, 'i')),
  },
  {
    id: 'mailauth: line that is no field',
    peer: 'mailauth',
    what: 'takes a line that is no field for the continuation of the field above it',
    standard:
      'RFC 5322 §2.2.3: "a CRLF may be inserted before any WSP", so that a line that begins with anything else continues nothing.',
    applies: ({ text }) => headerLines(text).some((line) => !/^[ \t]/u.test(line) && !/^[!-9;-~]+[ \t]*:/u.test(line)),
  },
  {
    id: 'mailauth: underscore in i=',
    peer: 'mailauth',
    what: 'takes a domain in i= with an underscore for none',
    standard:
      'RFC 6376 §3.5 takes domain-name from RFC 5321, which knows no underscore; names with one exist (RFC 8552), and we accept them in d=, s= and i= alike.',
    applies: ({ ours, theirs }) =>
      theirs?.comment === 'signature syntax error' && ours?.identity?.includes('_') === true,
  },
  {
    id: 'mailauth: any number of signatures',
    peer: 'mailauth',
    what: 'verifies every signature, however many there are',
    standard:
      'RFC 6376 §6.1 lets a verifier limit the number of signatures it tries, against denial of service; ours are ten, aligned ones first.',
    applies: ({ ours }) => ours?.code === 'dkim.too-many-signatures',
  },
];

/** The lines of the header of a message. */
export function headerLines(text: string): readonly string[] {
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n');
  return (end === -1 ? text.replace(/\r\n$/u, '') : text.slice(0, end)).split('\r\n').filter((line) => line !== '');
}

/** Whether a key record is good, or another one, without white space of any kind: how mailauth reads it. */
function differsStripped(record: string): boolean {
  const stripped = parseKeyRecord(Buffer.from(record, 'latin1').toString('utf8').replaceAll(/\s+/gu, ''));
  return stripped.ok && !isDeepStrictEqual(stripped, parseKeyRecord(record));
}

/** The raw value of a tag, without white space. */
function tagText(list: string, name: string): string {
  const found = new RegExp(`(?:^|[;:])[ \\t\\r\\n]*${name}[ \\t\\r\\n]*=([^;]*)`, 'u').exec(list);
  return (found?.[1] ?? '').replaceAll(/[ \t\r\n]+/gu, '');
}

function isOddlyPadded(base64: string): boolean {
  return base64.length % 4 !== 0 || base64 !== Buffer.from(base64, 'base64').toString('base64');
}

/** Every disagreement with dkimpy and Mail::DKIM that is settled. */
export const peerRulings: readonly Ruling<PeerSituation>[] = [
  {
    id: 'dkimpy: refuses the message',
    peer: 'dkimpy',
    what: 'gives no verdict on any signature when one cannot be parsed, or when a field has white space before its colon or is none',
    standard:
      'RFC 6376 §4.2: "When evaluating a message with multiple signatures, a Verifier SHOULD evaluate signatures independently and on their own merits." White space before the colon: RFC 5322 §4.5.',
    applies: ({ said }) => said.includes('dkimpy refuses to verify'),
  },
  {
    id: 'dkimpy: white space around b=',
    peer: 'dkimpy',
    what: 'leaves the white space behind the value of b= where it is, and misses b= when it stands first',
    standard: 'RFC 6376 §3.7: "with the value of the "b=" tag (including all surrounding whitespace) deleted".',
    applies: ({ fields, passes, ours }) =>
      passes < ours.filter(holds).length &&
      fields.some((field) => /[;:\s]b[ \t\r\n]*=[^;]*[ \t\r\n](?:;|$)/u.test(field) || /^[^:]*:b/iu.test(field)),
  },
  {
    id: 'dkimpy: white space at the end of the signature',
    peer: 'dkimpy',
    what: 'strips the signature field before it is canonicalized',
    standard:
      'RFC 6376 §3.4.1: "The "simple" header canonicalization algorithm does not change header fields in any way."',
    // What was added there is no change to it, and what was signed there is one.
    applies: ({ fields, passes, ours }) =>
      passes !== ours.filter(holds).length && fields.some((field) => /[ \t]\r\n$/u.test(field)),
  },
  {
    id: 'dkimpy: blanks at the end of the body',
    peer: 'dkimpy',
    what: 'keeps the white space at the end of a body that ends without a CRLF',
    standard:
      'RFC 6376 §3.4.4: "Ignore all whitespace at the end of lines." The last line is one, with a CRLF or without.',
    applies: ({ text, said }) => said.includes('body hash mismatch') && /[ \t]$/u.test(text),
  },
  {
    id: 'Mail::DKIM: l=0',
    peer: 'Mail::DKIM',
    what: 'takes l=0 for no l= at all',
    standard:
      'RFC 6376 §3.5, l=: it is the number of octets of the canonical body that the hash includes; 0 is none of them.',
    applies: ({ fields, passes, ours }) =>
      passes < ours.filter(holds).length && fields.some((field) => Number(tagText(field, 'l') || 1) === 0),
  },
  {
    id: 'dkimpy: CR at the end of a field',
    peer: 'dkimpy',
    what: 'strips a bare CR from the end of a field',
    standard:
      'RFC 6376 §2.8: "WSP represents simple whitespace, i.e., a space or a tab character"; §3.4.2 deletes "all WSP characters at the end of each unfolded header field value", and a CR is none.',
    applies: ({ text, passes, ours }) =>
      passes > ours.filter(holds).length && headerLines(text).some((line) => line.endsWith('\r')),
  },
  {
    id: 'Mail::DKIM: CR before the colon',
    peer: 'Mail::DKIM',
    what: 'takes a bare CR before the colon for white space',
    standard:
      'RFC 5322 §2.2: "A field name MUST be composed of printable US-ASCII characters (i.e., characters that have values between 33 and 126, inclusive), except colon"; §4.5 allows WSP before the colon, and a CR is none.',
    applies: ({ text, passes, ours }) =>
      passes > ours.filter(holds).length && headerLines(text).some((line) => /^[!-9;-~]+[ \t]*\r[ \t\r]*:/u.test(line)),
  },
  {
    id: 'Mail::DKIM: l= of no body',
    peer: 'Mail::DKIM',
    what: 'hashes nothing for an l= of one or two octets when there is no body',
    standard:
      'RFC 6376 §3.4.3: "If there is no body or no trailing CRLF on the message body, a CRLF is added." These are the octets that l= counts.',
    applies: ({ text, fields, said }) =>
      said.includes('body has been altered') &&
      /^[12]$/u.test(fields.map((field) => tagText(field, 'l')).find((l) => l !== '') ?? '') &&
      (!text.includes('\r\n\r\n') || text.endsWith('\r\n\r\n')),
  },
  {
    id: 'Mail::DKIM: no final line end',
    peer: 'Mail::DKIM',
    what: 'adds no CRLF to a body that ends without one',
    standard:
      'RFC 6376 §3.4.3: "If there is no body or no trailing CRLF on the message body, a CRLF is added"; §3.4.4 likewise.',
    applies: ({ text, said }) => said.includes('body has been altered') && !text.endsWith('\r\n'),
  },
  {
    id: 'Mail::DKIM: space before the colon',
    peer: 'Mail::DKIM',
    what: 'loses the white space between DKIM-Signature and its colon, or the first tag behind it',
    standard:
      'RFC 6376 §3.4.1, simple: no change; §3.4.2, relaxed: "Delete any WSP characters remaining before and after the colon".',
    applies: ({ fields, passes, ours }) =>
      passes < ours.filter(holds).length && fields.some((field) => /^[^:]*[ \t]:/u.test(field)),
  },
  ...['dkimpy', 'Mail::DKIM'].map((peer) => ({
    id: `${peer}: DKIM-Signature in h=`,
    peer,
    what: 'takes the signature itself for one of the DKIM-Signature fields that h= names',
    standard:
      'RFC 6376 §3.5, h=: "The field MUST NOT include the DKIM-Signature header field that is being created or verified but may include others."',
    applies: ({ ours }: PeerSituation) =>
      ours.some(({ evidence }) => evidence.signedFields?.includes('dkim-signature') === true),
  })),
  {
    id: 'Mail::DKIM: lists in key records',
    peer: 'Mail::DKIM',
    what: 'knows no white space around the colons of h= and s= in a key record, nor words of these and of k= in upper case',
    standard:
      'RFC 6376 §3.6.1: key-h-tag = %x68 [FWS] "=" [FWS] key-h-tag-alg *( [FWS] ":" [FWS] key-h-tag-alg ), and s= likewise; literals of ABNF are in any case.',
    applies: ({ said }) =>
      ["does not support hash algorithm 'sha256'", 'does not support email', 'unsupported key type'].some((why) =>
        said.includes(why),
      ),
  },
  {
    id: 'dkimpy: words in upper case',
    peer: 'dkimpy',
    what: 'knows a=, c= and k= in lower case alone',
    standard:
      'RFC 6376 §3.5 and §3.6.1 give the words of a=, c= and k= as literals of ABNF, which "are case insensitive" (RFC 5234 §2.3).',
    applies: ({ said, ours }) =>
      // It fails some signatures for such a k= without saying why.
      ours.some(({ evidence }) => /[A-Z]/u.test(tagText(evidence.keyRecord ?? '', 'k'))) ||
      /UnknownKeyTypeError|invalid c= value: b'(?=[a-z/]*[A-Z])|unknown signature algorithm: b'(?=[a-z0-9-]*[A-Z])/u.test(
        said,
      ),
  },
  {
    id: 'dkimpy: more than one From',
    peer: 'dkimpy',
    what: 'fails every signature of a message with more than one From field',
    standard:
      'RFC 6376 §3.8 leaves it to the verifier what to make of a message that is not of RFC 5322. Our signature holds for what it signed; DMARC is a permerror.',
    applies: ({ text, passes, ours }) =>
      passes < ours.filter(holds).length && headerLines(text).filter((line) => /^from[ \t]*:/iu.test(line)).length > 1,
  },
  ...['dkimpy', 'Mail::DKIM'].map((peer) => ({
    id: `${peer}: several methods in q=`,
    peer,
    what: 'refuses q= when it holds more than dns/txt',
    standard: 'RFC 6376 §3.5, q=: "Unrecognized query mechanisms MUST be ignored."',
    applies: ({ said }: PeerSituation) =>
      said.includes('q= value is not dns/txt') || said.includes('unsupported query protocol'),
  })),
  {
    id: 'Mail::DKIM: U-labels',
    peer: 'Mail::DKIM',
    what: 'asks for the key of a domain in U-labels as it is written',
    standard: 'RFC 8616 §4: d= and s= may be in U-labels, and are converted to A-labels for the look-up.',
    applies: ({ fields }) => fields.some((field) => /[\u0080-\u00ff]/u.test(tagText(field, 'd'))),
  },
  {
    id: 'dkimpy: padding of base64',
    peer: 'dkimpy',
    what: 'demands the padding of b=, bh= and p=',
    standard: 'RFC 6376 §2.10: padding is optional in base64string.',
    applies: ({ fields, passes, ours, said }) =>
      passes < ours.filter(holds).length &&
      (ours.some(({ evidence }) => isOddlyPadded(tagText(evidence.keyRecord ?? '', 'p'))) ||
        (said.includes('is not valid base64') &&
          fields.some((field) => isOddlyPadded(tagText(field, 'bh')) || isOddlyPadded(tagText(field, 'b'))))),
  },
  {
    id: 'dkimpy: space before a colon',
    peer: 'dkimpy',
    what: 'signs and verifies fields with white space before the colon in another form',
    standard:
      'RFC 6376 §3.4.1, simple: no change; §3.4.2: "Delete any WSP characters remaining before and after the colon separating the header field name from the header field value."',
    applies: ({ text }) => headerLines(text).some((line) => /^[!-9;-~]+[ \t]+:/u.test(line)),
  },
  {
    id: 'Mail::DKIM: g= of RFC 4871',
    peer: 'Mail::DKIM',
    what: 'still heeds g= in key records',
    standard: 'RFC 6376 §3.6.1 has no g= any more (RFC 4871 had); §3.2: "Unrecognized tags MUST be ignored."',
    applies: ({ said }) => said.includes('granularity'),
  },
  {
    id: 'Mail::DKIM: RSAPublicKey',
    peer: 'Mail::DKIM',
    what: 'reads SubjectPublicKeyInfo alone',
    standard: 'RFC 6376 §3.6.1, p=: "an ASN.1 DER-encoded [ITU-X660-1997] RSAPublicKey type from [RFC3447]".',
    applies: ({ said }) => said.includes('OpenSSL error: wrong tag'),
  },
  {
    id: 'Mail::DKIM: short keys',
    peer: 'Mail::DKIM',
    what: 'passes signatures of RSA keys under 1024 bits',
    standard:
      'RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid signatures."',
    applies: ({ ours, passes }) =>
      passes > ours.filter(holds).length && ours.some(({ code }) => code === 'dkim.key-too-short'),
  },
  {
    id: 'Mail::DKIM: padding of base64',
    peer: 'Mail::DKIM',
    what: 'demands the padding of p=',
    standard: 'RFC 6376 §2.10, as above.',
    applies: ({ said }) => said.includes('OpenSSL error: bad base64 decode'),
  },
  ...['dkimpy', 'Mail::DKIM'].flatMap((peer) => [
    {
      id: `${peer}: passes what is malformed`,
      peer,
      what: 'passes over errors of form in a signature or a key record, each of which mailauth was asked about too',
      standard:
        'RFC 6376 §6.1.1: "Implementers MUST meticulously validate the format and values in the DKIM-Signature header field; any inconsistency or unexpected values MUST cause the header field to be completely ignored"; §6.1.2 step 4 says the same of key records.',
      applies: ({ ours, passes }: PeerSituation) =>
        passes > ours.filter(holds).length && ours.some(({ code }) => reasonsOfForm.has(code)),
    },
    {
      id: `${peer}: has other limits`,
      peer,
      what: 'verifies with larger keys, more signatures or names in h= than we do, and signatures from the future',
      standard: 'RFC 6376 §3.5 (t=), §6.1 and RFC 8301 §3.2 leave these to the verifier (MAY).',
      applies: ({ ours, passes }: PeerSituation) =>
        passes > ours.filter(holds).length && ours.some(({ code }) => reasonsOfLimits.has(code)),
    },
  ]),
];

/** What is wrong with the form of a signature or a key record. */
const reasonsOfForm = new Set<string>([
  'dkim.signature-syntax',
  'dkim.repeated-tag',
  'dkim.version-unsupported',
  'dkim.missing-tag',
  'dkim.invalid-tag',
  'dkim.from-not-signed',
  'dkim.identity-outside-domain',
  'dkim.query-method-unsupported',
  'dkim.body-length-exceeds',
  'dkim.key-syntax',
  'dkim.key-unreadable',
  'dkim.key-hash-not-allowed',
  'dkim.key-service-type',
  'dkim.identity-not-domain',
  'dkim.key-type-mismatch',
]);

const reasonsOfLimits = new Set<string>([
  'dkim.too-many-signatures',
  'dkim.too-many-signed-fields',
  'dkim.timestamp-in-future',
  'dkim.key-too-long',
]);
