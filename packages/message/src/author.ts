import { normalizeDomain } from './domain.ts';
import { parseAddressList } from './address.ts';
import type { AddressError, Mailbox } from './address.ts';
import { everyField, fieldsNamed, fieldValue, hasBareLineEnds } from './header.ts';
import type { Header, HeaderField } from './header.ts';
import { asBuffer } from './octets.ts';
import { messageLimits } from './limits.ts';
import type { MessageLimits } from './limits.ts';

/** Who a message says wrote it. */
export type Author =
  | {
      readonly ok: true;
      readonly mailboxes: readonly Mailbox[];
      /** The distinct author domains, as A-labels in lower case, in the order they appear. Never empty. */
      readonly domains: readonly string[];
    }
  | { readonly ok: false; readonly code: AuthorCode; readonly detail?: AddressError };

/** Why a message has no author that can be read. */
export const authorCodes = [
  'message.no-from',
  'message.several-from',
  'message.from-too-long',
  'message.from-unparsable',
  'message.from-domain-invalid',
] as const;

export type AuthorCode = (typeof authorCodes)[number];

/**
 * Reads the author from the one From field (RFC 5322 §3.6.2). No From, several From fields, a From that cannot be read
 * without doubt, and an author without a domain name are results with a code, never a guess.
 *
 * A line that only a careless program takes for a From field counts as a second one beside the first: an indented or
 * folded name ("Composition Kills", USENIX Security 2020), or a line that begins behind a bare CR or LF.
 */
export function readAuthor(header: Header, limits: MessageLimits = messageLimits): Author {
  const fields = fieldsNamed(header, 'from');
  const [field] = fields;
  if (field === undefined) return { ok: false, code: 'message.no-from' };
  if (fields.length > 1 || hasDoubtfulFrom(header)) return { ok: false, code: 'message.several-from' };
  if (field.end - field.start > limits.maxFieldBytes) return { ok: false, code: 'message.from-too-long' };
  const list = parseAddressList(fieldValue(header, field), limits);
  if (!list.ok) return { ok: false, code: 'message.from-unparsable', detail: list.error };
  if (list.mailboxes.length === 0) return { ok: false, code: 'message.from-unparsable', detail: 'empty' };
  const domains = new Set<string>();
  for (const mailbox of list.mailboxes) {
    const domain = normalizeDomain(mailbox.domain);
    if (domain === null) return { ok: false, code: 'message.from-domain-invalid' };
    domains.add(domain);
  }
  return { ok: true, mailboxes: list.mailboxes, domains: [...domains] };
}

/** The beginning of a line that is no field: its name, with blanks, controls and 8-bit octets around it. */
const doubtfulName = /^[^!-~]*from[^!-~]*:/i;
/** The same inside a field, from the name on. */
const innerName = /from[^!-~]*:/gi;

function hasDoubtfulFrom(header: Header): boolean {
  const bare = hasBareLineEnds(header);
  for (const field of everyField(header)) {
    if (field.name === '' && doubtfulName.test(fieldText(header, field))) return true;
    if (bare && hidesFrom(fieldText(header, field))) return true;
  }
  return false;
}

/** All of a field, one character per octet. */
function fieldText({ bytes }: Header, { start, end }: HeaderField): string {
  return asBuffer(bytes).toString('latin1', start, end);
}

/** Whether a CR or LF that ends no line is followed by what some take for a From field. Linear: no octet is looked at twice. */
function hidesFrom(text: string): boolean {
  for (const { index } of text.matchAll(innerName)) {
    for (let at = index - 1; at >= 0 && !isPrintable(text.charCodeAt(at)); at--) {
      const char = text.charAt(at);
      if (char === '\r' || (char === '\n' && text.charAt(at - 1) !== '\r')) return true;
      if (char === '\n') at--;
    }
  }
  return false;
}

function isPrintable(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}
