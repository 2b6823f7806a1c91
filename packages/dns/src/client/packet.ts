import { decode } from 'dns-packet';
import type { DecodedPacket } from 'dns-packet';
import { MIN_MESSAGE_OCTETS } from '../limits.ts';

/**
 * Decodes a DNS message, or null when it is not one. The library throws for most malformed input, and reads over
 * the end for some: a message of which it claims to have read more than there was is malformed too.
 */
export function decodePacket(bytes: Buffer): DecodedPacket | null {
  if (bytes.length < MIN_MESSAGE_OCTETS) return null;
  try {
    const packet = decode(bytes);
    return decode.bytes <= bytes.length ? packet : null;
  } catch {
    return null;
  }
}

/** The id of a message that may be malformed otherwise, or null when it is shorter than a header. */
export function messageId(bytes: Buffer): number | null {
  return bytes.length < MIN_MESSAGE_OCTETS ? null : bytes.readUInt16BE(0);
}
