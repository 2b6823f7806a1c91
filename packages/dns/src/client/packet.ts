import { TRUNCATED_RESPONSE, decode } from 'dns-packet';
import type { DecodedPacket } from 'dns-packet';
import { MIN_MESSAGE_OCTETS } from '../limits.ts';

/** Where they stand in the header (RFC 1035 §4.1.1). The counts of the three sections of records end it. */
const FLAGS_OFFSET = 2;
const COUNTS_OF_RECORDS_OFFSET = 6;

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

/**
 * Decodes a datagram. Of one with the TC bit only header and question: the rest is not to be used, and may end in the
 * middle of a record (RFC 2181 §9).
 */
export function decodeDatagram(bytes: Buffer): DecodedPacket | null {
  return isTruncated(bytes) ? decodePacket(withoutRecords(bytes)) : decodePacket(bytes);
}

function isTruncated(bytes: Buffer): boolean {
  return bytes.length >= MIN_MESSAGE_OCTETS && (bytes.readUInt16BE(FLAGS_OFFSET) & TRUNCATED_RESPONSE) !== 0;
}

/** The same message, which says that it holds no records. */
function withoutRecords(bytes: Buffer): Buffer {
  return Buffer.from(bytes).fill(0, COUNTS_OF_RECORDS_OFFSET, MIN_MESSAGE_OCTETS);
}

/** The id of a message that may be malformed otherwise, or null when it is shorter than a header. */
export function messageId(bytes: Buffer): number | null {
  return bytes.length < MIN_MESSAGE_OCTETS ? null : bytes.readUInt16BE(0);
}
