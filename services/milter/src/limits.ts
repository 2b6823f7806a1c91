/** Limits of the milter. Time limits of connections are configuration; see docs/milter.md. */
export interface MilterServiceLimits {
  /** Bytes of header fields of one message that are kept whole; of those beyond only what may be forged is. */
  readonly maxKeptHeaderBytes: number;
  /** Bytes that the kept header of one message may take in all. A message above is rejected: 552 5.3.4. */
  readonly maxHeaderMemory: number;
  /** What a field counts for besides its bytes. */
  readonly fieldOverhead: number;
  /** Milliseconds from the end of a message to its answer; then it is a temporary failure. Above the deadline for DNS. */
  readonly answerMs: number;
  /** Milliseconds between two signs of life while an answer takes long. Postfix waits 30 s for one. */
  readonly progressMs: number;
  /** Frames of one message. More than a header of four-byte fields makes of Postfix's default message size. */
  readonly maxMessageFrames: number;
  /** Connections beyond `maxConnections` that may wait for a place; those beyond are closed. */
  readonly maxWaitingConnections: number;
  /** Milliseconds that a connection waits for a place. Postfix gives up after as many (`milter_connect_timeout`). */
  readonly waitingMs: number;
  /** Milliseconds that one of several processes may take to tell its metrics or whether it is ready. */
  readonly processAnswerMs: number;
  /** Milliseconds before an ended process is started anew. The pause doubles each time. */
  readonly firstRestartMs: number;
  readonly longestRestartMs: number;
  /** Milliseconds a process has lived for its next restart to be the first one again. */
  readonly stableMs: number;
  /** How much of the grace time at shutdown a process of several may take. One that takes more is killed a little later. */
  readonly graceShare: number;
}

export const milterServiceLimits: MilterServiceLimits = {
  maxKeptHeaderBytes: 1024 * 1024,
  maxHeaderMemory: 16 * 1024 * 1024,
  fieldOverhead: 200,
  answerMs: 60_000,
  progressMs: 5_000,
  maxMessageFrames: 5_000_000,
  maxWaitingConnections: 1_000,
  waitingMs: 30_000,
  processAnswerMs: 1_500,
  firstRestartMs: 100,
  longestRestartMs: 30_000,
  stableMs: 60_000,
  graceShare: 0.8,
};
