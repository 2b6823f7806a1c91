import type { DmarcVerdict } from '@zegel/authentication';
import { fieldsNamed, parseMessage } from '@zegel/message';
import type { Ruling } from '../ruling.ts';
import type { MailCase } from './case.ts';
import { headerLines } from './dkim-rulings.ts';
import type { MailauthDmarc, MailauthReading } from './mailauth.ts';

/** One message, and two verdicts on its author. */
export interface DmarcSituation {
  readonly subject: MailCase;
  /** The whole message; one character is one byte. */
  readonly text: string;
  readonly ours: DmarcVerdict;
  readonly theirs: MailauthDmarc;
  readonly mailauth: MailauthReading;
}

const peer = 'mailauth dmarc';

/** The default of our limit `recordLength`, in octets. */
const dmarcRecordLength = 4096;

/** Every disagreement with mailauth about DMARC that is settled. */
export const dmarcRulings: readonly Ruling<DmarcSituation>[] = [
  {
    id: 'mailauth dmarc: names of tags in upper case',
    peer,
    what: 'passes over tags whose name is not in lower case, and over a record that begins with V=',
    standard:
      'RFC 9989 §4.8 names the tags as literals of ABNF, which "are case insensitive" (RFC 5234 §2.3); of the version only the value is not.',
    applies: ({ subject, ours }) =>
      askedRecords(subject, ours).some((record) => /(?:^|;)[ \t]*[a-z]*[A-Z][A-Za-z]*[ \t]*=/u.test(record)),
  },
  {
    id: 'mailauth dmarc: blank before v=',
    peer,
    what: 'takes a record that begins with white space',
    standard:
      'RFC 9989 §4.8: dmarc-record = dmarc-version *(dmarc-sep dmarc-tag) *WSP [";"]: nothing stands before the version.',
    applies: ({ subject, ours }) => askedRecords(subject, ours).some((record) => /^[ \t]+v/iu.test(record)),
  },
  {
    id: 'mailauth dmarc: repeated tag',
    peer,
    what: 'takes a record with a repeated tag for none, and so walks on or finds no policy',
    standard:
      'RFC 9989 §4.8: "Syntax errors in the remainder of the record MUST be discarded in favor of default values (if any) or ignored outright." RFC 6376 §3.2, by which the whole list were invalid, is the more general rule.',
    applies: ({ subject, ours }) => askedRecords(subject, ours).some(repeatsTag),
  },
  {
    id: 'mailauth dmarc: record above the limit',
    peer,
    what: 'reads a policy record of any length',
    standard: 'No rule of RFC 9989: ours are bounded at 4,096 octets for their cost.',
    applies: ({ subject, ours }) => askedRecords(subject, ours).some((record) => record.length > dmarcRecordLength),
  },
  {
    id: 'mailauth dmarc: temporary error of SPF',
    peer,
    what: 'knows only what passed, and so fails a message whose SPF could still pass',
    standard:
      'RFC 9989 §5.3.6: a temporary error of an identifier that would align is no failure; mailauth is not told of it here.',
    applies: ({ ours }) =>
      ours.code === 'dmarc.identifier-temporary-error' ||
      (ours.code === 'dmarc.alignment-temporary-failure' && ours.alignment.spf?.result === 'temperror'),
  },
  {
    id: 'mailauth dmarc: failed walk of no account',
    peer,
    what: 'gives a temporary error when a look-up fails above both the author domain and the identifier',
    standard:
      'RFC 9989 §4.10.2 and §5.3.6: what that name would have said moves the organizational domain of both alike, so that they are aligned either way, and the message passes.',
    applies: ({ ours, theirs, subject }) =>
      ours.result === 'pass' && theirs.result === 'temperror' && failsAboveAll(subject, ours),
  },
  {
    id: 'mailauth dmarc: From in doubt',
    peer,
    what: 'makes an author domain of a From field that no grammar allows, or that is of the obsolete grammar, or too long',
    standard:
      'RFC 5322 §3.6.2: from = "From:" mailbox-list CRLF. Different readers take different addresses for the author there (Chen et al., USENIX Security 2020), so that we take none: RFC 9989 §5.3.1, no author domain.',
    applies: ({ text, ours }) => ours.code === 'dmarc.no-author-domain' && !isPlainlyWritten(text),
  },
  {
    id: 'mailauth dmarc: From behind a bare line end',
    peer,
    what: 'passes over what a reader who takes a bare CR or LF for a line end sees as a second From field',
    standard:
      'RFC 5322 §2.2: "A field body MUST NOT include CR and LF except when used in "folding" and "unfolding"". Whoever reads it otherwise sees two authors, so that we take none: RFC 9989 §5.3.1.',
    applies: ({ text, ours }) =>
      ours.code === 'dmarc.no-author-domain' && /(?:\r(?!\n)|(?<!\r)\n)[^!-~]*from[^!-~]*:/iu.test(text),
  },
  {
    id: 'mailauth dmarc: line that is no field',
    peer,
    what: 'takes a line that is no field for the continuation of From, or a first line with white space for a field',
    standard: 'RFC 5322 §2.2: "Header fields are lines beginning with a field name, followed by a colon (":")".',
    applies: ({ text }) =>
      /^[ \t]/u.test(text) ||
      headerLines(text).some((line) => !/^[ \t]/u.test(line) && !/^[!-9;-~]+[ \t]*:/u.test(line)),
  },
];

/** The records at the names that were asked. */
function askedRecords({ policies }: MailCase, ours: DmarcVerdict): readonly string[] {
  return ours.evidence.walk.flatMap(({ name }) => {
    const entry = policies[name];
    return typeof entry === 'object' && 'TXT' in entry
      ? (entry.TXT ?? []).filter((text) => typeof text === 'string')
      : [];
  });
}

/** Whether every name of the walk that fails lies above the author domain and above an aligned identifier. */
function failsAboveAll({ policies }: MailCase, { alignment, authorDomain = '' }: DmarcVerdict): boolean {
  const failed = Object.entries(policies).flatMap(([name, entry]) =>
    typeof entry === 'string' && name.startsWith('_dmarc.') ? [name.slice('_dmarc.'.length)] : [],
  );
  const aligned = [...(alignment.spf === undefined ? [] : [alignment.spf]), ...alignment.dkim].filter(
    (identifier) => identifier.aligned && identifier.result === 'pass',
  );
  const above = failed.filter((name) => authorDomain.endsWith(`.${name}`));
  return above.length > 0 && aligned.some(({ domain }) => above.every((name) => domain.endsWith(`.${name}`)));
}

function repeatsTag(record: string): boolean {
  const names = record
    .split(';')
    .map((tag) => tag.split('=')[0]!.trim().toLowerCase())
    .filter((name) => name !== '');
  return new Set(names).size < names.length;
}

/** The most addresses that we read. */
const maxAddresses = 100;

/**
 * Whether a message has one From, with a list of addresses written as nearly everybody writes them: no such one may be
 * in doubt.
 */
function isPlainlyWritten(text: string): boolean {
  const { header } = parseMessage(Buffer.from(text, 'latin1'));
  const [field, ...more] = fieldsNamed(header, 'from');
  if (field === undefined || more.length > 0) return false;
  const value = Buffer.from(header.bytes)
    .toString('latin1', field.colon + 1, field.end)
    .replaceAll('\r\n', '');
  const mailbox =
    /^[ \t]*(?:(?:"[ !#-[\]-~\u0080-\u00ff]*"|[A-Za-z0-9 ]*)[ \t]*<[a-z0-9.]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*>|[a-z0-9.]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*)[ \t]*$/iu;
  const mailboxes = value.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/u);
  return mailboxes.length <= maxAddresses && mailboxes.every((one) => mailbox.test(one));
}
