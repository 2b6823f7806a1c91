import { parseHeader } from './header.ts';
import type { Header } from './header.ts';
import { asBuffer } from './octets.ts';

/** A whole message: the header, and the body as a view into the input. */
export interface ParsedMessage {
  readonly header: Header;
  /** The bytes behind the empty line; empty when there is none. */
  readonly body: Uint8Array;
}

const headerEnd = Buffer.from('\r\n\r\n');
const emptyLine = Buffer.from('\r\n');

/** Bytes searched for the end of the header at a time. */
const maxPortion = 64 * 1024;

/**
 * Splits a whole message at its first empty line and finds the header fields. Never fails: what has no empty line is
 * header only, and lines that are no header fields are kept with an empty name. Line ends are not touched
 * (see `normalizeLineEnds`).
 */
export function parseMessage(raw: Uint8Array): ParsedMessage {
  const at = endOfHeader(asBuffer(raw), 0);
  if (at === -1) return { header: parseHeader(raw), body: raw.subarray(raw.length) };
  return { header: parseHeader(raw.subarray(0, at)), body: raw.subarray(at + emptyLine.length) };
}

/** Offset of the CRLF that is the empty line, or -1. `from` says where a search left off before more bytes came. */
function endOfHeader(bytes: Buffer, from: number): number {
  if (bytes.length >= 2 && bytes[0] === 0x0d && bytes[1] === 0x0a) return 0;
  const at = bytes.indexOf(headerEnd, Math.max(0, from - headerEnd.length + 1));
  return at === -1 ? -1 : at + emptyLine.length;
}

/** Room made for a header that comes in pieces. */
const minGathered = 4096;

/**
 * Splits a message that arrives in chunks: gathers the header, then hands the body through without copying it.
 *
 * Memory grows with the header only. The scanner has no limit of its own: the door that feeds it stops at
 * `maxMessageBytes`.
 */
export class MessageScanner {
  #gathered = Buffer.alloc(0);
  #length = 0;
  #header: Header | undefined;

  /** The header, once it is complete: after the empty line, or after {@link end}. */
  get header(): Header | undefined {
    return this.#header;
  }

  /** Takes the next chunk, of any size. Answers the body bytes in it: a view, empty while the header lasts. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#header !== undefined) return chunk;
    if (this.#length === 0) {
      // Most messages come with the whole header in the first chunk: only the header is copied.
      const at = endOfHeader(asBuffer(chunk), 0);
      if (at !== -1) {
        this.#header = parseHeader(Buffer.from(chunk.subarray(0, at)));
        return chunk.subarray(at + emptyLine.length);
      }
    }
    // In portions, so that the body of a large chunk is not gathered with the header.
    for (let from = 0; from < chunk.length; from += maxPortion) {
      const before = this.#length;
      this.#gather(chunk.subarray(from, from + maxPortion));
      const at = endOfHeader(this.#gathered.subarray(0, this.#length), before);
      if (at === -1) continue;
      this.#header = parseHeader(this.#gathered.subarray(0, at));
      return chunk.subarray(from + at + emptyLine.length - before);
    }
    return chunk.subarray(chunk.length);
  }

  /** No more bytes follow. A message without an empty line is header only. */
  end(): Header {
    this.#header ??= parseHeader(this.#gathered.subarray(0, this.#length));
    return this.#header;
  }

  /** Appends, doubling the room as it grows, so that the cost stays linear for chunks of any size. */
  #gather(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#gathered.length) {
      const larger = Buffer.alloc(Math.max(needed, this.#gathered.length * 2, minGathered));
      this.#gathered.copy(larger, 0, 0, this.#length);
      this.#gathered = larger;
    }
    this.#gathered.set(chunk, this.#length);
    this.#length = needed;
  }
}
