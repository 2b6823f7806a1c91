import type { Canonicalization } from './canonicalization.ts';
import { loadKernel, maxRun, portionAt, resultAt } from './kernel.ts';
import type { Kernel } from './kernel.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/** Where a field stands in some bytes: its first octet, its colon, and behind its last octet. */
export interface FieldOffsets {
  readonly start: number;
  readonly colon: number;
  readonly end: number;
}

/** A part of a value that is left out. */
export interface ValueGap {
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * Gathers canonicalized header fields into one run of bytes, the input of a header hash. White space is SP and HTAB
 * alone; a CR or LF that is not part of a CRLF is content.
 */
export class HeaderCanonicalizer {
  readonly #relaxed: boolean;
  readonly #kernel: Kernel | null;
  /** Made when the first field comes, and larger when it is too small. */
  #out = noRoom;
  #length = 0;

  /** @param kernel default: the one there is; null for the loop in TypeScript. */
  constructor(canonicalization: Canonicalization, kernel: Kernel | null = loadKernel()) {
    this.#relaxed = canonicalization === 'relaxed';
    this.#kernel = kernel;
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
    const textEnd = endOfText(bytes, start, end);
    if (this.#relaxed) {
      this.#addRelaxed(bytes, start, colon, textEnd, gapStart, gapEnd);
    } else {
      this.#copy(bytes, start, Math.min(gapStart, textEnd));
      this.#copy(bytes, gapEnd, textEnd);
    }
    this.#out[this.#length++] = CR;
    this.#out[this.#length++] = LF;
  }

  /**
   * Adds several fields of the same bytes, one after the other, and behind them, if it is given, one with a gap in its
   * value. The same as {@link add} for each, with less work where they are relaxed.
   */
  addAll(bytes: Uint8Array, fields: readonly FieldOffsets[], last?: FieldOffsets & ValueGap): void {
    if (this.#relaxed && this.#kernel !== null && this.#addByKernel(this.#kernel, bytes, fields, last)) return;
    for (const { start, colon, end } of fields) this.add(bytes, start, colon, end);
    if (last !== undefined) this.add(bytes, last.start, last.colon, last.end, last.valueStart, last.valueEnd);
  }

  /** Answers false when they are too much for the memory of the kernel. */
  #addByKernel(
    kernel: Kernel,
    bytes: Uint8Array,
    fields: readonly FieldOffsets[],
    last: (FieldOffsets & ValueGap) | undefined,
  ): boolean {
    const end = relaxByKernel(kernel, bytes, fields, last);
    if (end === null) return false;
    this.#reserve(end - resultAt);
    kernel.memory.copy(this.#out, this.#length, resultAt, end);
    this.#length += end - resultAt;
    return true;
  }

  /** How many canonical bytes there are so far. */
  get length(): number {
    return this.#length;
  }

  /** Takes back what was added since there were so many bytes. Views of it that were given change with what is added next. */
  truncate(length: number): void {
    this.#length = Math.min(length, this.#length);
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
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#out.length * 2));
    this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }
}

/**
 * Several fields and one with a gap, canonicalized as by `addAll`, without the last CRLF: the input of the header hash of one
 * signature, with less work than a `HeaderCanonicalizer` takes that keeps it. Only valid until something else is canonicalized.
 */
export function canonicalizeWholeHeader(
  canonicalization: Canonicalization,
  bytes: Uint8Array,
  fields: readonly FieldOffsets[],
  last: FieldOffsets & ValueGap,
): Uint8Array {
  const kernel = canonicalization === 'relaxed' ? loadKernel() : null;
  const end = kernel === null ? null : relaxByKernel(kernel, bytes, fields, last);
  if (kernel !== null && end !== null) return kernel.memory.subarray(resultAt, end - 2);
  const canonicalizer = new HeaderCanonicalizer(canonicalization, null);
  canonicalizer.addAll(bytes, fields, last);
  return canonicalizer.bytes({ withoutFinalCrlf: true });
}

/** Relaxes fields to `resultAt`, and answers where they end; null when they are too much for the memory of the kernel. */
function relaxByKernel(
  { memory, relaxField }: Kernel,
  bytes: Uint8Array,
  fields: readonly FieldOffsets[],
  last: (FieldOffsets & ValueGap) | undefined,
): number | null {
  let room = last === undefined ? 0 : last.end - last.start + 2;
  for (const { start, end } of fields) room += end - start + 2;
  if (bytes.length > maxRun || room > maxRun) return null;
  memory.set(bytes, portionAt);
  let out = resultAt;
  for (const { start, colon, end } of fields) {
    const textEnd = portionAt + endOfText(bytes, start, end);
    out = relaxField(out, portionAt + start, portionAt + colon, textEnd, textEnd, textEnd);
  }
  if (last !== undefined) {
    const { start, colon, end, valueStart, valueEnd } = last;
    const textEnd = portionAt + endOfText(bytes, start, end);
    out = relaxField(out, portionAt + start, portionAt + colon, textEnd, portionAt + valueStart, portionAt + valueEnd);
  }
  return out;
}

const noRoom = Buffer.alloc(0);

/** Where a field ends without its last CRLF. */
function endOfText(bytes: Uint8Array, start: number, end: number): number {
  return end - start >= 2 && bytes[end - 1] === LF && bytes[end - 2] === CR ? end - 2 : end;
}
