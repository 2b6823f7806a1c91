import { parseMessage } from '@zegel/message';
import type { Header } from '@zegel/message';

const COLON = 0x3a;

/** Bytes of a body's first part that are looked at. */
const maxLookedAt = 64 * 1024;

/**
 * Whether a body begins with the header it belongs to: an MTA that hands over the whole message as the body (Stalwart
 * does) makes every body hash wrong. The names of the fields are compared, since such an MTA changes their values.
 */
export function beginsWithHeader(chunk: Uint8Array, header: Header): boolean {
  const [first] = header.fields;
  if (first === undefined || first.name === '' || chunk[first.name.length] !== COLON) return false;
  const fields = parseMessage(chunk.subarray(0, maxLookedAt)).header.fields;
  // The last one may be cut off.
  const names = fields.length < header.fields.length ? fields.slice(0, -1) : fields;
  return (
    names.length >= Math.min(2, header.fields.length) &&
    names.every(({ name }, index) => name === header.fields[index]?.name)
  );
}
