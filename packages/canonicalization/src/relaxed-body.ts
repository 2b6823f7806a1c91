import type { BodyCanonicalizer } from './body.ts';
import { HeldLineEnds } from './held-line-ends.ts';
import type { CanonicalSink } from './held-line-ends.ts';
import { maxPortion, portionAt, sawBareLineEnd } from './kernel.ts';
import type { Kernel } from './kernel.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const CRLF = Uint8Array.of(CR, LF);

/**
 * RFC 6376 §3.4.4: white space at the end of a line goes, each other run of it becomes one SP, empty lines at the end
 * go, a last line without CRLF gets one, an empty body stays empty.
 *
 * What stands at the end of a portion and depends on the next one, white space and a CR, is held back, at most as a SP and
 * a CR, and put before the next one, and so is a line end before them. So the kernel needs no state.
 */
export class RelaxedBody implements BodyCanonicalizer {
  readonly #sink: CanonicalSink;
  readonly #held: HeldLineEnds;
  readonly #kernel: Kernel;
  #pendingSpace = false;
  #pendingCr = false;
  #bare = false;

  constructor(sink: CanonicalSink, kernel: Kernel) {
    this.#sink = sink;
    this.#held = new HeldLineEnds(sink);
    this.#kernel = kernel;
  }

  get bareLineEnds(): boolean {
    return this.#bare;
  }

  update(chunk: Uint8Array): void {
    if (chunk.length <= maxPortion) {
      if (chunk.length > 0) this.#take(chunk);
      return;
    }
    for (let from = 0; from < chunk.length; from += maxPortion) this.#take(chunk.subarray(from, from + maxPortion));
  }

  #take(portion: Uint8Array): void {
    const { memory } = this.#kernel;
    let start = portionAt;
    if (this.#pendingCr) memory[--start] = CR;
    if (this.#pendingSpace) memory[--start] = SP;
    // Handed on by itself it would be a call more for each portion.
    if (this.#held.takeOne()) {
      memory[--start] = LF;
      memory[--start] = CR;
    }
    memory.set(portion, portionAt);
    let end = portionAt + portion.length;
    this.#pendingCr = memory[end - 1] === CR;
    if (this.#pendingCr) end--;
    const last = memory[end - 1];
    this.#pendingSpace = end > start && (last === SP || last === HTAB);
    const to = this.#kernel.relax(start, end);
    if (sawBareLineEnd(this.#kernel)) this.#bare = true;
    this.#held.pass(memory.subarray(start, to));
  }

  end(): void {
    if (this.#pendingCr) {
      this.#bare = true;
      this.#held.pass(this.#pendingSpace ? Uint8Array.of(SP, CR) : Uint8Array.of(CR));
    }
    if (this.#held.hasContent) this.#sink(CRLF);
  }
}
