import { listsEveryField } from './header.ts';
import type { Header } from './header.ts';

/** Limits on what a message may be. Each is an option wherever it applies; these are the defaults. */
export interface MessageLimits {
  /** Header fields in a message; more than 200,000 are never allowed (see `Header`). */
  readonly maxHeaderFields: number;
  /** Bytes of the header block, the empty line excluded. */
  readonly maxHeaderBytes: number;
  /** Bytes of one header field, folding and final CRLF included. */
  readonly maxFieldBytes: number;
  /** Bytes of the whole message. */
  readonly maxMessageBytes: number;
  /** Addresses read from one From field. */
  readonly maxAddresses: number;
  /** Depth of nested comments in a structured field. */
  readonly maxCommentDepth: number;
}

export const messageLimits: MessageLimits = {
  maxHeaderFields: 1_000,
  maxHeaderBytes: 1024 * 1024,
  maxFieldBytes: 64 * 1024,
  maxMessageBytes: 50 * 1024 * 1024,
  maxAddresses: 100,
  maxCommentDepth: 50,
};

/** A limit that a header is above: which one, what is allowed and what was found, as far as it was counted. */
export interface ExceededLimit {
  readonly limit: 'maxHeaderFields' | 'maxHeaderBytes' | 'maxFieldBytes';
  readonly allowed: number;
  readonly found: number;
}

/** The first limit that the header is above, or null. */
export function exceededLimit(header: Header, limits: MessageLimits = messageLimits): ExceededLimit | null {
  const { maxHeaderFields, maxHeaderBytes, maxFieldBytes } = limits;
  if (header.bytes.length > maxHeaderBytes) {
    return { limit: 'maxHeaderBytes', allowed: maxHeaderBytes, found: header.bytes.length };
  }
  const listed = header.fields.length;
  if (listed > maxHeaderFields || !listsEveryField(header)) {
    const found = listsEveryField(header) ? listed : listed + 1;
    return { limit: 'maxHeaderFields', allowed: Math.min(maxHeaderFields, listed), found };
  }
  for (const field of header.fields) {
    const found = field.end - field.start;
    if (found > maxFieldBytes) return { limit: 'maxFieldBytes', allowed: maxFieldBytes, found };
  }
  return null;
}
