import { loadKernel, maxPortion, portionAt, sawBareLineEnd } from './kernel.ts';
import type { Kernel } from './kernel.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Octets of a line that are looked at one by one: for lines of two octets a search each would cost ten times as much. */
const shortLine = 16;

/** Octets from which on it pays to hand them to the kernel. */
const minPortion = 256;

/**
 * Follows line ends (RFC 5321 §2.3.8, RFC 5322 §2.2: CRLF alone) across chunks and remembers whether a CR or LF stood alone.
 * Linear; the state is two bits.
 */
export class LineEndWatch {
  readonly #kernel: Kernel | null;
  #endedInCr = false;
  #bare = false;

  /** @param kernel default: the one there is; null for the loop in TypeScript. */
  constructor(kernel: Kernel | null = loadKernel()) {
    this.#kernel = kernel;
  }

  /** True once a CR without LF behind it, or an LF without CR before it, was seen. Final after {@link end}. */
  get bare(): boolean {
    return this.#bare;
  }

  update(chunk: Uint8Array): void {
    if (this.#bare || chunk.length === 0) return;
    let from = 0;
    if (this.#endedInCr) {
      if (chunk[0] !== LF) {
        this.#bare = true;
        return;
      }
      from = 1;
    }
    this.#endedInCr = chunk.length > from && chunk[chunk.length - 1] === CR;
    const to = this.#endedInCr ? chunk.length - 1 : chunk.length;
    this.#bare =
      this.#kernel === null || to - from < minPortion
        ? hasBare(chunk, from, to)
        : hasBareByKernel(this.#kernel, chunk, from, to);
  }

  /** Call when no more bytes follow: a CR at the very end stands alone too. */
  end(): void {
    if (this.#endedInCr) this.#bare = true;
  }
}

/** Whether a CR without LF behind it, or an LF without CR before it, stands in some bytes. */
export function holdsBareLineEnd(bytes: Uint8Array): boolean {
  const lineEnds = new LineEndWatch();
  lineEnds.update(bytes);
  lineEnds.end();
  return lineEnds.bare;
}

/** Whether a CR or LF stands alone in `chunk[from, to)`, which ends before a CR or with something else. */
function hasBare(chunk: Uint8Array, from: number, to: number): boolean {
  let quiet = 0;
  for (let at = from; at < to; at++) {
    const byte = chunk[at];
    if (byte === LF || (byte === CR && chunk[at + 1] !== LF)) return true;
    if (byte === CR) {
      at++;
      quiet = 0;
    } else if (++quiet === shortLine) {
      const cr = chunk.indexOf(CR, at);
      const lf = chunk.indexOf(LF, at);
      if (cr === -1 || (lf !== -1 && lf < cr)) return lf !== -1;
      at = cr - 1;
      quiet = 0;
    }
  }
  return false;
}

/** The same in portions, none of which ends between a CR and what follows it. */
function hasBareByKernel(kernel: Kernel, chunk: Uint8Array, from: number, to: number): boolean {
  for (let start = from; start < to;) {
    let end = Math.min(to, start + maxPortion);
    if (end < to && chunk[end - 1] === CR) end--;
    kernel.memory.set(chunk.subarray(start, end), portionAt);
    kernel.watch(portionAt, portionAt + end - start);
    if (sawBareLineEnd(kernel)) return true;
    start = end;
  }
  return false;
}
