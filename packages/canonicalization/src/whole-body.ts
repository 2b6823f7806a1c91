import type { Canonicalization } from './canonicalization.ts';
import { loadKernel, maxPortion, portionAt, sawBareLineEnd } from './kernel.ts';

const CR = 0x0d;
const LF = 0x0a;

/** A canonical body in one piece. */
export interface CanonicalBody {
  /** Only valid until the next body is canonicalized. */
  readonly bytes: Uint8Array;
  /** Whether a CR or LF stands alone in the body as it was. */
  readonly bareLineEnds: boolean;
}

/**
 * Canonicalizes a whole body at once, where that is less work than with a `BodyCanonicalizer`: a relaxed one of at most
 * 128 KiB that ends a line. Null for every other.
 */
export function canonicalizeWholeBody(canonicalization: Canonicalization, body: Uint8Array): CanonicalBody | null {
  const { length } = body;
  if (canonicalization === 'simple' || length < 2 || length > maxPortion || body[length - 1] !== LF) return null;
  const kernel = loadKernel();
  if (kernel === null) return null;
  const { memory } = kernel;
  memory.set(body, portionAt);
  let end = kernel.relax(portionAt, portionAt + length);
  while (end - portionAt >= 2 && memory[end - 1] === LF && memory[end - 2] === CR) end -= 2;
  if (end > portionAt) {
    memory[end++] = CR;
    memory[end++] = LF;
  }
  return { bytes: memory.subarray(portionAt, end), bareLineEnds: sawBareLineEnd(kernel) };
}
