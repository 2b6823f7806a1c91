import { fillTexts, isCutOff, repeatedFields } from '@zegel/message';
import type { Author, Header } from '@zegel/message';
import type { Notice } from './report.ts';

/** What this package itself has to say to a person: about the message, and about checks that were not made. */
export const noticeCodes = {
  'message.line-ends-normalised': {
    explanation: 'The input had bare LF line ends throughout and was read with CRLF.',
    advice: 'Nothing is to be done. Over SMTP every line ends in CRLF.',
  },
  'message.bare-line-ends': {
    explanation:
      'A CR or LF stands alone in the message. It was taken as content; some programs take it as a line end.',
    advice: 'Refuse such mail where it comes in: it is how SMTP smuggling looks.',
  },
  'message.bytes-not-exact': {
    explanation:
      'The octets of the message may have been changed on the way to this check, so signatures over them were not verified.',
    advice: 'Hand the message over by a door that keeps its octets: the milter, /v1/verify or /checkv2.',
  },
  'message.no-header': {
    explanation: 'The message has no header: it is empty or begins with its body.',
    advice: 'Hand the message in as it came over SMTP: header fields, an empty line, the body.',
  },
  'message.cut-off': {
    explanation: 'The message ends in the middle of its header.',
    advice: 'Look for what cut it: a size limit, a broken connection.',
  },
  'message.malformed-field': {
    explanation: 'Line {field} of the header, folds not counted, is not a header field.',
    advice: 'Some programs take it as the end of the header and show the rest as body.',
  },
  'message.indented-first-line': {
    explanation:
      'The header begins with an indented line, which continues no field. It was removed: below a field that is added on top it would be read as part of that one.',
    advice: 'Treat it as a forgery: no mail program writes such a message.',
  },
  'message.repeated-field': {
    explanation: 'The field {field} occurs more than once, and programs disagree on which one counts.',
    advice: 'The sender should leave one of them (RFC 5322 §3.6).',
  },
  'message.no-from': {
    explanation: 'The message has no From field, so it has no author.',
    advice: 'The sender should name an author; RFC 5322 §3.6 asks for one From field. Such mail may be refused.',
  },
  'message.several-from': {
    explanation: 'The message has more than one From field, so its author is not known.',
    advice: 'Treat it as a forgery: no mail program writes such a message.',
  },
  'message.from-too-long': {
    explanation: 'The From field is longer than is read here, so the author is not known.',
    advice: 'The sender should name fewer authors. Such mail may be refused.',
  },
  'message.from-unparsable': {
    explanation: 'From cannot be read without doubt ({detail}), so the author is not known.',
    advice:
      'The sender should write it as Name <local-part@domain>, with quotes around a name that holds special characters.',
  },
  'message.from-domain-invalid': {
    explanation: 'The address in From has no valid domain name, so the author domain is not known.',
    advice: 'The sender should use an address that can be answered. Such mail may be refused.',
  },
  'message.limit-exceeded': {
    explanation:
      'The message is above the limit {limit}: {found}, and {allowed} is allowed. It was not checked further.',
    advice: 'Raise the limit if this is mail that people want.',
  },
  'dns.too-many-lookups': {
    explanation: 'A check asked for more of the DNS than it may; what was not asked counts as a temporary error.',
    advice:
      'Lower the limits that were raised, such as that on signatures, or treat the message as what it looks like: an attack.',
  },
  'dmarc.too-many-walks': {
    explanation: 'The message names more domains that might speak for its author than DMARC looks into.',
    advice: 'The sender should sign with the author domain itself.',
  },
  'auth.pass': {
    explanation: 'The client authenticated itself to the server that took the message.',
  },
  'spf.not-checked': {
    explanation: 'SPF was not checked: the client address or {missing} is not known.',
    advice: 'Have the mail server hand over the client address and {missing} with the message.',
  },
} as const satisfies Record<string, { readonly explanation: string; readonly advice?: string }>;

export type NoticeCode = keyof typeof noticeCodes;

export function notice(code: NoticeCode, values: object = {}): Notice {
  const entry: { explanation: string; advice?: string } = noticeCodes[code];
  return {
    code,
    ...fillTexts(entry, values),
  };
}

/** What the header alone gives away. */
export function headerNotices(header: Header, author: Author): readonly Notice[] {
  if (header.fields.length === 0) return [notice('message.no-header')];
  const notices: Notice[] = [];
  if (isCutOff(header)) notices.push(notice('message.cut-off'));
  const malformed = header.fields.findIndex(({ name }) => name === '');
  if (malformed !== -1) notices.push(notice('message.malformed-field', { field: malformed + 1 }));
  if (beginsIndented(header)) notices.push(notice('message.indented-first-line'));
  if (!author.ok) notices.push(notice(author.code, { detail: author.detail }));
  for (const { field } of repeatedFields(header)) {
    if (field !== 'from') notices.push(notice('message.repeated-field', { field }));
  }
  return notices;
}

/** Whether the first line begins with white space: whatever is put above it, it would continue. */
export function beginsIndented(header: Header): boolean {
  const first = header.bytes[0];
  return first === 0x20 || first === 0x09;
}
