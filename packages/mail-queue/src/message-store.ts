import { InvalidReferenceError } from './errors.ts';

/** The bytes of a message, at once or as they come. */
export type MessageBytes = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Where message bytes lie. Queue, database and logs hold references only.
 *
 * Every method rejects with `MessageStoreUnavailableError` when the store is lost, and with `InvalidReferenceError` for
 * what cannot be an id or a reference.
 */
export interface MessageStore {
  /**
   * Keeps the bytes under an id (1 to 128 letters, digits, `.`, `-`, `_`; a letter or digit first) and gives their
   * reference. They are there as a whole, durably, once it resolves, and not at all before; bytes kept earlier under
   * the same id are replaced. Errors of the source pass through as they are.
   *
   * @throws MessageStoreFullError when there is no room. Nothing is left behind.
   */
  put(id: string, bytes: MessageBytes): Promise<string>;
  /** The bytes, read as they are asked for. @throws MessageMissingError */
  open(reference: string): Promise<AsyncIterable<Uint8Array>>;
  /** How many bytes there are. @throws MessageMissingError */
  size(reference: string): Promise<number>;
  /** Removes the bytes. There may be none. */
  delete(reference: string): Promise<void>;
  /** References of everything that was put before a moment, in no order, without holding them all. */
  list(before: Date): AsyncIterable<string>;
  /** Resolves when the store can take and give bytes. */
  ping(): Promise<void>;
  /** Gives its connections and timers back. */
  close(): Promise<void>;
}

// No separator and no leading dot: such a name cannot leave its folder and is never hidden, `.` or `..`.
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The reference itself, when it is one. @throws InvalidReferenceError */
export function checkReference(reference: string): string {
  if (!REFERENCE.test(reference)) throw new InvalidReferenceError();
  return reference;
}

/** Bytes in either form, as chunks. */
export async function* chunksOf(bytes: MessageBytes): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes instanceof Uint8Array) yield bytes;
  else yield* bytes;
}
