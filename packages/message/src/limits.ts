/** Limits on what a message may be. Each is an option wherever it applies; these are the defaults. */
export interface MessageLimits {
  /** Header fields in a message. */
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
