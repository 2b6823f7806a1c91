import { MilterEncodingError } from './errors.ts';

/**
 * Payloads: texts that end in NUL, and 32-bit numbers. Reading past the end, or a text without its NUL, makes the reader
 * `broken`, and everything it answers from then on is empty: one look at the end tells whether a payload was well-formed.
 */
export class PayloadReader {
  readonly #bytes: Buffer;
  #at = 0;
  #broken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** True when everything read so far was there and nothing is left. */
  get complete(): boolean {
    return !this.#broken && this.#at === this.#bytes.length;
  }

  get atEnd(): boolean {
    return this.#broken || this.#at >= this.#bytes.length;
  }

  /** The bytes up to the next NUL, as a view. */
  bytes(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.#at);
    if (this.#broken || end === -1) return this.#fail();
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return found;
  }

  /** The text up to the next NUL: UTF-8, with U+FFFD for what is not. */
  text(): string {
    return Buffer.from(this.bytes()).toString('utf8');
  }

  /** All texts that are left, or null when there are more than `limit`. */
  texts(limit: number): readonly string[] | null {
    const found: string[] = [];
    while (!this.atEnd) {
      if (found.length === limit) return null;
      found.push(this.text());
    }
    return found;
  }

  /** One octet as a character. */
  character(): string {
    return String.fromCharCode(this.#number(1));
  }

  uint16(): number {
    return this.#number(2);
  }

  uint32(): number {
    return this.#number(4);
  }

  #number(octets: number): number {
    if (this.#broken || this.#at + octets > this.#bytes.length) {
      this.#fail();
      return 0;
    }
    const value = this.#bytes.readUIntBE(this.#at, octets);
    this.#at += octets;
    return value;
  }

  #fail(): Uint8Array {
    this.#broken = true;
    return new Uint8Array(0);
  }
}

const NUL = Buffer.of(0);

/** Texts (as UTF-8) or bytes, each with its NUL. Throws MilterEncodingError when one holds a NUL itself. */
export function encodeTexts(...texts: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const text of texts) {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    if (bytes.includes(0)) throw new MilterEncodingError('a text with a NUL cannot travel in the milter protocol');
    parts.push(bytes, NUL);
  }
  return Buffer.concat(parts);
}

/** Numbers of 32 bits. */
export function encodeNumbers(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return bytes;
}
