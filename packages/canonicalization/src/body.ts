import type { Canonicalization } from './canonicalization.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const CRLF = Uint8Array.of(CR, LF);

/** Receives canonical bytes. The view is only valid during the call: it may be reused for the next one. */
export type CanonicalSink = (bytes: Uint8Array) => void;

/**
 * A body canonicalizer: takes the body in chunks with borders anywhere, hands canonical bytes on as soon as they are
 * certain. State is a few numbers, never text; time is linear.
 */
export interface BodyCanonicalizer {
  update(chunk: Uint8Array): void;
  /** No more bytes follow. Call once. */
  end(): void;
}

export function createBodyCanonicalizer(canonicalization: Canonicalization, sink: CanonicalSink): BodyCanonicalizer {
  return canonicalization === 'simple' ? new SimpleBody(sink) : new RelaxedBody(sink);
}

/** Line ends held back because they may turn out to be empty lines at the end of the body. */
class HeldLineEnds {
  readonly #sink: CanonicalSink;
  #count = 0;

  constructor(sink: CanonicalSink) {
    this.#sink = sink;
  }

  hold(lines: number): void {
    this.#count += lines;
  }

  /** Content follows: the held lines were not at the end. */
  release(): void {
    // A body may be gigabytes of empty lines followed by a dot; the block bounds what is built at a time.
    while (this.#count > 0) {
      const lines = Math.min(this.#count, heldBlock.length / 2);
      this.#sink(heldBlock.subarray(0, lines * 2));
      this.#count -= lines;
    }
  }
}

const heldBlock = Buffer.alloc(8192, '\r\n');

/** Bytes looked at at a time, and rewritten if there is anything to rewrite. */
const maxPortion = 8 * 1024;

/** How many CRLF stand at the end of `chunk[from, to)`. */
function finalLineEnds(chunk: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end - from >= 2 && chunk[end - 1] === LF && chunk[end - 2] === CR) end -= 2;
  return (to - end) / 2;
}

/** Whether there is no HTAB and no SP in front of white space or a line end, what follows the chunk aside. */
function isRelaxed(chunk: Uint8Array): boolean {
  // The native searches settle base64 and the like without looking at a byte here.
  if (chunk.includes(HTAB)) return false;
  const { length } = chunk;
  for (let at = chunk.indexOf(SP); at !== -1 && at < length; at++) {
    if (chunk[at] !== SP) continue;
    const next = chunk[at + 1];
    if (next === SP || next === CR) return false;
  }
  return true;
}

/**
 * RFC 6376 §3.4.3: empty lines at the end go, a last line without CRLF gets one, an empty body is one CRLF.
 * Everything else passes as it came, uncopied.
 */
class SimpleBody implements BodyCanonicalizer {
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
        this.#held.release();
        this.#sink(CRLF.subarray(0, 1));
      }
    }
    let to = chunk.length;
    if (to > from && chunk[to - 1] === CR) {
      this.#pendingCr = true;
      to--;
    }
    const lines = finalLineEnds(chunk, from, to);
    to -= lines * 2;
    if (to > from) {
      this.#held.release();
      this.#sink(chunk.subarray(from, to));
    }
    this.#held.hold(lines);
  }

  end(): void {
    if (this.#pendingCr) {
      this.#held.release();
      this.#sink(CRLF.subarray(0, 1));
    }
    this.#sink(CRLF);
  }
}

/**
 * RFC 6376 §3.4.4: white space at the end of a line goes, each other run of it becomes one SP, empty lines at the end
 * go, a last line without CRLF gets one, an empty body stays empty.
 */
class RelaxedBody implements BodyCanonicalizer {
  readonly #sink: CanonicalSink;
  readonly #held: HeldLineEnds;
  #out = new Uint8Array(0);
  /** The chunk before ended in a CR that may be half of a CRLF. */
  #pendingCr = false;
  #pendingSpace = false;
  #hasContent = false;

  constructor(sink: CanonicalSink) {
    this.#sink = sink;
    this.#held = new HeldLineEnds(sink);
  }

  update(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; from += maxPortion) this.#take(chunk.subarray(from, from + maxPortion));
  }

  #take(chunk: Uint8Array): void {
    if (this.#pendingSpace || this.#pendingCr || !isRelaxed(chunk)) this.#rewrite(chunk);
    else this.#pass(chunk);
  }

  /** Most text is relaxed already: it passes uncopied, but for line ends and a space at the end that are not certain yet. */
  #pass(chunk: Uint8Array): void {
    let to = chunk.length;
    const last = chunk[to - 1];
    this.#pendingSpace = last === SP;
    this.#pendingCr = last === CR;
    if (this.#pendingSpace || this.#pendingCr) to--;
    const lines = finalLineEnds(chunk, 0, to);
    to -= lines * 2;
    if (to > 0) {
      this.#hasContent = true;
      this.#held.release();
      this.#sink(chunk.subarray(0, to));
    }
    this.#held.hold(lines);
  }

  #rewrite(chunk: Uint8Array): void {
    const size = chunk.length;
    // What is written never exceeds what is read, but for a space and a CR left over from the chunk before.
    if (this.#out.length < size + 2) this.#out = new Uint8Array(size + 2);
    const out = this.#out;
    let written = 0;
    /** Line ends read and not yet written: they count only once content follows. */
    let lines = 0;
    let space = this.#pendingSpace;
    let at = 0;
    if (this.#pendingCr) {
      this.#pendingCr = false;
      if (chunk[0] === LF) {
        lines = 1;
        space = false;
        at = 1;
      } else {
        if (space) out[written++] = SP;
        space = false;
        out[written++] = CR;
      }
    }
    for (; at < size; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === SP || byte === HTAB) {
        space = true;
        continue;
      }
      if (byte === CR) {
        if (at + 1 === size) {
          this.#pendingCr = true;
          break;
        }
        if (chunk[at + 1] === LF) {
          lines++;
          space = false;
          at++;
          continue;
        }
      }
      for (; lines > 0; lines--) {
        out[written++] = CR;
        out[written++] = LF;
      }
      if (space) out[written++] = SP;
      space = false;
      out[written++] = byte;
    }
    this.#pendingSpace = space;
    if (written > 0) {
      this.#hasContent = true;
      this.#held.release();
      this.#sink(out.subarray(0, written));
    }
    this.#held.hold(lines);
  }

  end(): void {
    if (this.#pendingCr) {
      this.#held.release();
      this.#sink(this.#pendingSpace ? Uint8Array.of(SP, CR) : Uint8Array.of(CR));
      this.#hasContent = true;
    }
    if (this.#hasContent) this.#sink(CRLF);
  }
}
