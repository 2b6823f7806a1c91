import { singletonFields } from './singleton-fields.ts';

/**
 * Names of header fields as text. Those that most messages have are the same string each time: making a string of octets
 * costs more than finding where the field ends.
 */

/** As literals, which are one string with those elsewhere in the program: comparing them is comparing two addresses. */
const common = [
  ...singletonFields,
  'content-language',
  'content-disposition',
  'received',
  'return-path',
  'delivered-to',
  'received-spf',
  'authentication-results',
  'dkim-signature',
  'arc-seal',
  'arc-message-signature',
  'arc-authentication-results',
  'user-agent',
  'x-mailer',
  'feedback-id',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'precedence',
  'auto-submitted',
  'errors-to',
  'importance',
  'x-priority',
  'x-originating-ip',
];

/** A name, and its octets to compare with: characters of strings are slower to read where strings of many kinds are. */
interface CommonName {
  readonly text: string;
  readonly octets: Uint8Array;
}

const slots = 128;
const bySlot: (CommonName | undefined)[] = Array.from({ length: slots }, () => undefined);
for (const text of common) {
  const octets = Buffer.from(text);
  const slot = slotOf(octets, 0, octets.length);
  if (bySlot[slot] !== undefined) throw new Error(`Two field names share a slot: ${bySlot[slot].text}, ${text}`);
  bySlot[slot] = { text, octets };
}

/** The name `bytes[start, end)` in lower case: US-ASCII without colons and white space. */
export function fieldName(bytes: Buffer, start: number, end: number): string {
  const name = bySlot[slotOf(bytes, start, end)];
  return name !== undefined && isName(bytes, start, end, name.octets)
    ? name.text
    : bytes.toString('latin1', start, end).toLowerCase();
}

/**
 * A name in lower case as the very string that fields have, where it is one of the common ones: found at once in what
 * is kept by name.
 */
export function commonName(name: string): string {
  return byText.get(name) ?? name;
}

const byText = new Map(common.map((text) => [text, text]));

/** The same for upper and lower case, and another one for each of the common names: what tells them apart is chosen for them. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const sum =
    13 * length +
    19 * ((bytes[start] ?? 0) | 0x20) +
    5 * ((bytes[start + (length >> 1)] ?? 0) | 0x20) +
    3 * ((bytes[end - 1] ?? 0) | 0x20);
  return sum & (slots - 1);
}

function isName(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (lower !== name[at - start]) return false;
  }
  return true;
}
