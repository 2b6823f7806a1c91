import type { BodyCanonicalizer } from './body.ts';
import { HeldLineEnds } from './held-line-ends.ts';
import type { CanonicalSink } from './held-line-ends.ts';

const CR = 0x0d;
const LF = 0x0a;
const CRLF = Uint8Array.of(CR, LF);
const loneCr = CRLF.subarray(0, 1);

/**
 * RFC 6376 §3.4.3: empty lines at the end go, a last line without CRLF gets one, an empty body is one CRLF.
 * Everything else passes as it came, uncopied.
 */
export class SimpleBody implements BodyCanonicalizer {
  readonly bareLineEnds = null;
  readonly #sink: CanonicalSink;
  readonly #held: HeldLineEnds;
  /** The chunk before ended in a CR that may be half of a CRLF. */
  #pendingCr = false;

  constructor(sink: CanonicalSink) {
    this.#sink = sink;
    this.#held = new HeldLineEnds(sink);
  }

  update(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    let from = 0;
    if (this.#pendingCr) {
      this.#pendingCr = false;
      if (chunk[0] === LF) {
        this.#held.hold(1);
        from = 1;
      } else {
        this.#held.pass(loneCr);
      }
    }
    let to = chunk.length;
    if (to > from && chunk[to - 1] === CR) {
      this.#pendingCr = true;
      to--;
    }
    this.#held.pass(chunk.subarray(from, to));
  }

  end(): void {
    if (this.#pendingCr) this.#held.pass(loneCr);
    this.#sink(CRLF);
  }
}
