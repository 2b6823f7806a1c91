import { messageLimits } from '@zegel/message';

/** Limits on what is read. Each is an option of the parsers; these are the defaults. */
export interface AuthResultsLimits {
  /** Characters of a field body, folding included. */
  readonly maxFieldLength: number;
  /** Results (`method=result`) in one field. */
  readonly maxResults: number;
  /** Properties (`ptype.property=value`) of one result. */
  readonly maxProperties: number;
  /** Depth of nested comments. */
  readonly maxCommentDepth: number;
}

export const authResultsLimits: AuthResultsLimits = {
  maxFieldLength: messageLimits.maxFieldBytes,
  maxResults: 100,
  maxProperties: 50,
  maxCommentDepth: messageLimits.maxCommentDepth,
};

/**
 * Limits on what is written. They are fixed: together they keep every line below the 998 octets of RFC 5322 §2.1.1
 * (two keywords and a text whose every character had to be escaped) and every field below what the parser reads.
 */
export const formatLimits = {
  /** Octets (UTF-8) of an authserv-id, a reason, a comment or a property value, before quoting. */
  maxTextOctets: 400,
  /** Characters of a method, result, ptype or property name. */
  maxKeywordLength: 40,
  /** Characters of a line, where white space or a comment lets it be folded (RFC 5322 §2.1.1). */
  foldWidth: 78,
  /** Octets of a field body: results that no longer fit are left out. Leaves room for the field name. */
  maxBodyOctets: messageLimits.maxFieldBytes - 64,
} as const;

/** Octets behind the colon within which an authserv-id must have been read: beyond them a field counts as forged. */
export const maxIdentifierOctets = 4_096;
