import { DatabaseUnavailableError } from '@zegel/database';

/** The queue cannot be reached. Nothing was accepted; the sender keeps the message and tries again later. */
export class QueueUnavailableError extends Error {
  readonly code = 'queue.unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueueUnavailableError';
  }
}

/** As many messages wait as may, or Redis has no memory left. Nothing was accepted. */
export class QueueFullError extends Error {
  readonly code = 'queue.full';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueueFullError';
  }
}

/** The session given with a message is no JSON, or above the limit. A mistake of the caller. */
export class InvalidSessionError extends Error {
  readonly code = 'queue.invalid-session';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidSessionError';
  }
}

/** The message store cannot be reached, written or read. */
export class MessageStoreUnavailableError extends Error {
  readonly code = 'message-store.unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MessageStoreUnavailableError';
  }
}

/** The message store has no room. Nothing of the message was kept. */
export class MessageStoreFullError extends Error {
  readonly code = 'message-store.full';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MessageStoreFullError';
  }
}

/** The message store holds nothing under this reference (any more). */
export class MessageMissingError extends Error {
  readonly code = 'message-store.missing';
  readonly reference: string;

  constructor(reference: string, options?: ErrorOptions) {
    super(`the message store holds nothing under ${reference}`, options);
    this.name = 'MessageMissingError';
    this.reference = reference;
  }
}

/** A reference that no message store has given out. A mistake of the caller, or an attempt to reach other files. */
export class InvalidReferenceError extends Error {
  readonly code = 'message-store.invalid-reference';

  constructor() {
    super(
      'a message reference is 1 to 128 letters, digits, dots, hyphens and underscores, with a letter or digit first',
    );
    this.name = 'InvalidReferenceError';
  }
}

/** Whether an attempt failed because a store or the database was lost or full, and not because of its message. */
export function isLostInfrastructure(error: unknown): boolean {
  return (
    error instanceof MessageStoreFullError ||
    error instanceof MessageStoreUnavailableError ||
    error instanceof DatabaseUnavailableError
  );
}

/** The stable code of an error; `unexpected` for one that has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
}
