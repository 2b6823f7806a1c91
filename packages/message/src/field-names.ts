/**
 * Names of header fields as text. Those that most messages have are the same string each time: making a string of octets
 * costs more than finding where the field ends.
 */

const common = `
  from sender reply-to to cc bcc subject date message-id in-reply-to references mime-version content-type
  content-transfer-encoding content-language content-disposition received return-path delivered-to
  received-spf authentication-results dkim-signature arc-seal arc-message-signature
  arc-authentication-results user-agent x-mailer feedback-id list-id list-help list-unsubscribe
  list-unsubscribe-post list-subscribe list-post list-owner list-archive precedence auto-submitted
  errors-to importance x-priority x-originating-ip
`
  .trim()
  .split(/\s+/);

/** A name, and its octets to compare with: characters of strings are slower to read where strings of many kinds are. */
interface CommonName {
  readonly text: string;
  readonly octets: Uint8Array;
}

const slots = 1024;
const bySlot: (CommonName | undefined)[] = Array.from({ length: slots }, () => undefined);
for (const text of common) {
  const octets = Buffer.from(text);
  bySlot[slotOf(octets, 0, octets.length)] = { text, octets };
}

/** The name `bytes[start, end)` in lower case: US-ASCII without colons and white space. */
export function fieldName(bytes: Buffer, start: number, end: number): string {
  const name = bySlot[slotOf(bytes, start, end)];
  return name !== undefined && isName(bytes, start, end, name.octets)
    ? name.text
    : bytes.toString('latin1', start, end).toLowerCase();
}

/** The same for upper and lower case. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + ((bytes[at] ?? 0) | 0x20)) & (slots - 1);
  return hash;
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
