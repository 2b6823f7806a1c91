/** Limits of the milter. Time limits of connections are configuration; see docs/milter.md. */
export const milterServiceLimits = {
  /** Bytes of header fields of one message that are kept whole; of those beyond only what may be forged is. */
  maxKeptHeaderBytes: 1024 * 1024,
  /** Bytes that the kept header of one message may take in all. A message above is rejected: 552 5.3.4. */
  maxHeaderMemory: 16 * 1024 * 1024,
  /** What a field that is not kept whole counts for, in bytes. */
  fieldOverhead: 200,
  /** Milliseconds from the end of a message to its answer; then it is a temporary failure. Above the deadline for DNS. */
  answerMs: 60_000,
  /** Milliseconds between two signs of life while an answer takes long. Postfix waits 30 s for one. */
  progressMs: 5_000,
  /** Frames of one message. More than a header of four-byte fields makes of Postfix's default message size. */
  maxMessageFrames: 5_000_000,
  /** Connections beyond `maxConnections` that may wait for a place; those beyond are closed. */
  maxWaitingConnections: 1_000,
} as const;
