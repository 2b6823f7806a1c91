const CR = 0x0d;
const LF = 0x0a;

/** Receives canonical bytes. The view is only valid during the call: it may be reused for the next one. */
export type CanonicalSink = (bytes: Uint8Array) => void;

const heldBlock = Buffer.alloc(8192, '\r\n');

/**
 * Stands before a sink and holds line ends back that may turn out to be empty lines at the end of the body: a number,
 * however many they are.
 */
export class HeldLineEnds {
  readonly #sink: CanonicalSink;
  #count = 0;
  #hasContent = false;

  constructor(sink: CanonicalSink) {
    this.#sink = sink;
  }

  /** Whether anything but line ends was handed on. */
  get hasContent(): boolean {
    return this.#hasContent;
  }

  /** Line ends come next. */
  hold(lines: number): void {
    this.#count += lines;
  }

  /** Takes one of them back, for a caller that hands it on before what comes next. False when none is held. */
  takeOne(): boolean {
    if (this.#count === 0) return false;
    this.#count--;
    return true;
  }

  /** Octets come next, none to many: they are handed on but for the line ends behind them, and what was held before them. */
  pass(bytes: Uint8Array): void {
    let end = bytes.length;
    while (end >= 2 && bytes[end - 1] === LF && bytes[end - 2] === CR) end -= 2;
    if (end > 0) {
      this.#release();
      this.#hasContent = true;
      this.#sink(end === bytes.length ? bytes : bytes.subarray(0, end));
    }
    this.#count += (bytes.length - end) / 2;
  }

  #release(): void {
    // A body may be gigabytes of empty lines followed by a dot; the block bounds what is built at a time.
    while (this.#count > 0) {
      const lines = Math.min(this.#count, heldBlock.length / 2);
      this.#sink(heldBlock.subarray(0, lines * 2));
      this.#count -= lines;
    }
  }
}
