/** What the caller handed over cannot be sent: a NUL in a text, a reply code that is none, a field without a colon. */
export class MilterEncodingError extends Error {
  readonly code = 'milter.not-encodable';

  constructor(message: string) {
    super(message);
    this.name = 'MilterEncodingError';
  }
}

/** A caller used a session in a way the protocol has no place for, such as a recipient before the sender. */
export class MilterUsageError extends Error {
  readonly code = 'milter.usage';

  constructor(message: string) {
    super(message);
    this.name = 'MilterUsageError';
  }
}

/**
 * Why a milter is of no use to a client any more: the connection was lost, no reply came in time, or what came is not the
 * protocol (a malformed frame, a reply where none belongs, a negotiation beyond the offer, a limit exceeded).
 */
export type MilterFailureCode = 'milter.connection-lost' | 'milter.timeout' | 'milter.protocol';

/** The milter at the other end of a client's connection failed; an MTA would take its default action. */
export class MilterFailureError extends Error {
  readonly code: MilterFailureCode;

  constructor(code: MilterFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MilterFailureError';
    this.code = code;
  }
}
