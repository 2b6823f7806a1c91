import type { Canonicalization } from './canonicalization.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/**
 * Gathers canonicalized header fields into one run of bytes, the input of a header hash. White space is SP and HTAB
 * alone; a CR or LF that is not part of a CRLF is content.
 */
export class HeaderCanonicalizer {
  readonly #relaxed: boolean;
  #out: Uint8Array;
  #length = 0;

  /** @param sizeHint expected bytes; a canonical field is never longer than the field plus its CRLF. */
  constructor(canonicalization: Canonicalization, sizeHint = 2048) {
    this.#relaxed = canonicalization === 'relaxed';
    this.#out = Buffer.allocUnsafe(sizeHint);
  }

  /**
   * Adds the field `bytes[start, end)`, whose colon stands at `colon`, and its CRLF. What stands in `[gapStart, gapEnd)`,
   * a part of the value that holds no half of a CRLF, is left out: a signature field is signed without its signature.
   *
   * Simple (RFC 6376 §3.4.1): as it is. Relaxed (§3.4.2): name in lower case, no white space around the colon or at the
   * end, unfolded, each run of white space one SP.
   */
  add(bytes: Uint8Array, start: number, colon: number, end: number, gapStart = end, gapEnd = end): void {
    this.#reserve(end - start + 2);
    const ended = end - start >= 2 && bytes[end - 1] === LF && bytes[end - 2] === CR;
    const textEnd = ended ? end - 2 : end;
    if (this.#relaxed) {
      this.#addRelaxed(bytes, start, colon, textEnd, gapStart, gapEnd);
    } else {
      this.#copy(bytes, start, Math.min(gapStart, textEnd));
      this.#copy(bytes, gapEnd, textEnd);
    }
    this.#out[this.#length++] = CR;
    this.#out[this.#length++] = LF;
  }

  /** The canonical bytes so far, without the last CRLF when `withoutFinalCrlf` (RFC 6376 §3.7 step 2). A view. */
  bytes(options: { readonly withoutFinalCrlf?: boolean } = {}): Uint8Array {
    return this.#out.subarray(0, options.withoutFinalCrlf === true ? Math.max(0, this.#length - 2) : this.#length);
  }

  #copy(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return;
    this.#out.set(bytes.subarray(from, to), this.#length);
    this.#length += to - from;
  }

  #addRelaxed(bytes: Uint8Array, start: number, colon: number, end: number, gapStart: number, gapEnd: number): void {
    const out = this.#out;
    let length = this.#length;
    for (let at = start; at < colon; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === SP || byte === HTAB) break;
      out[length++] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    }
    out[length++] = COLON;
    const valueStart = length;
    for (let run = 0; run < 2; run++) {
      const to = run === 0 ? Math.min(gapStart, end) : end;
      let at = run === 0 ? colon + 1 : gapEnd;
      while (at < to) {
        const byte = bytes[at++] ?? 0;
        if (byte > SP) {
          out[length++] = byte;
        } else if (byte === SP || byte === HTAB) {
          // One SP for all of it; the one at the end is taken back.
          if (length > valueStart && out[length - 1] !== SP) out[length++] = SP;
        } else if (byte === CR && at < to && bytes[at] === LF) {
          at++;
        } else {
          out[length++] = byte;
        }
      }
    }
    if (length > valueStart && out[length - 1] === SP) length--;
    this.#length = length;
  }

  #reserve(room: number): void {
    const needed = this.#length + room;
    if (needed <= this.#out.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#out.length * 2));
    larger.set(this.#out.subarray(0, this.#length));
    this.#out = larger;
  }
}
