import type { BodyCanonicalizer } from './body.ts';
import { HeldLineEnds } from './held-line-ends.ts';
import type { CanonicalSink } from './held-line-ends.ts';
import { LineEndWatch } from './line-end-watch.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const CRLF = Uint8Array.of(CR, LF);

/** Bytes rewritten at a time. */
const maxPortion = 8 * 1024;

/**
 * The relaxed body canonicalization (RFC 6376 §3.4.4) one octet after the other: what the kernel is tested against, and what
 * is used where there is none.
 */
export class PlainRelaxedBody implements BodyCanonicalizer {
  readonly #sink: CanonicalSink;
  readonly #held: HeldLineEnds;
  readonly #lineEnds = new LineEndWatch(null);
  #out = new Uint8Array(0);
  /** The chunk before ended in a CR that may be half of a CRLF. */
  #pendingCr = false;
  #pendingSpace = false;

  constructor(sink: CanonicalSink) {
    this.#sink = sink;
    this.#held = new HeldLineEnds(sink);
  }

  get bareLineEnds(): boolean {
    return this.#lineEnds.bare;
  }

  update(chunk: Uint8Array): void {
    this.#lineEnds.update(chunk);
    for (let from = 0; from < chunk.length; from += maxPortion) this.#take(chunk.subarray(from, from + maxPortion));
  }

  #take(portion: Uint8Array): void {
    const size = portion.length;
    // What is written never exceeds what is read, but for a space and a CR left over from the portion before.
    if (this.#out.length < size + 2) this.#out = new Uint8Array(size + 2);
    const out = this.#out;
    let written = 0;
    let space = this.#pendingSpace;
    let at = 0;
    if (this.#pendingCr) {
      this.#pendingCr = false;
      if (space && portion[0] !== LF) out[written++] = SP;
      space = false;
      out[written++] = CR;
    }
    for (; at < size; at++) {
      const byte = portion[at] ?? 0;
      if (byte === SP || byte === HTAB) {
        space = true;
        continue;
      }
      if (byte === CR && at + 1 === size) {
        this.#pendingCr = true;
        break;
      }
      if (space && !(byte === CR && portion[at + 1] === LF)) out[written++] = SP;
      space = false;
      out[written++] = byte;
    }
    this.#pendingSpace = space;
    this.#held.pass(out.subarray(0, written));
  }

  end(): void {
    this.#lineEnds.end();
    if (this.#pendingCr) this.#held.pass(this.#pendingSpace ? Uint8Array.of(SP, CR) : Uint8Array.of(CR));
    if (this.#held.hasContent) this.#sink(CRLF);
  }
}
