import { MilterEncodingError } from './errors.ts';

const NUL = Buffer.of(0);
const nothing = new Uint8Array(0);

/**
 * Payloads: texts that end in NUL, and 32-bit numbers. Reading past the end, or a text without its NUL, makes the reader
 * `broken`, and everything it answers from then on is empty: one look at the end tells whether a payload was well-formed.
 */
export class PayloadReader {
  readonly #bytes: Buffer;
  #at = 0;
  #broken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    const start = this.#at;
    return this.#passText() ? this.#bytes.subarray(start, this.#at - 1) : nothing;
  }

  /** The text up to the next NUL: UTF-8, with U+FFFD for what is not. */
  text(): string {
    const start = this.#at;
    return this.#passText() ? this.#bytes.toString('utf8', start, this.#at - 1) : '';
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
      this.#broken = true;
      return 0;
    }
    const value = this.#bytes.readUIntBE(this.#at, octets);
    this.#at += octets;
    return value;
  }

  /** Goes behind the next NUL; false when there is none. */
  #passText(): boolean {
    const end = this.#broken ? -1 : this.#bytes.indexOf(0, this.#at);
    if (end === -1) this.#broken = true;
    else this.#at = end + 1;
    return end !== -1;
  }
}

/**
 * Texts (as UTF-8) or bytes, each with its NUL, as parts of a payload. Throws MilterEncodingError when one holds a NUL
 * itself.
 */
export function textParts(...texts: readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const text of texts) {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    if (bytes.includes(0)) throw new MilterEncodingError('a text with a NUL cannot travel in the milter protocol');
    parts.push(bytes, NUL);
  }
  return parts;
}

/** Numbers of 32 bits. */
export function encodeNumbers(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return bytes;
}
