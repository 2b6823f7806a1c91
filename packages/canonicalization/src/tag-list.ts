import { loadKernel, maxRun, resultAt, maxPortion, portionAt, tableAt } from './kernel.ts';

/**
 * Where the tags of a list stand, as the kernel sees them: six offsets for each. Its name begins and ends, its value begins and
 * ends without folding white space around it, and the raw value begins and ends. They count from `TagPlaces.base`.
 */
export interface TagPlaces {
  /** Only valid until the next list or header is looked at. */
  readonly offsets: Int32Array;
  /** How many of them there are. */
  readonly length: number;
  /** Subtract this from an offset. */
  readonly base: number;
}

/**
 * Finds the tags of a list (RFC 6376 §3.2) in text with one character per byte. Null for what is no such list, for more than 128 KiB
 * or some thousand tags, and where there is no kernel: why that is so is for a slower reader to say.
 */
export function findTags(text: string): TagPlaces | null {
  const kernel = loadKernel();
  if (kernel === null || text.length > maxPortion) return null;
  const { memory, table } = kernel;
  memory.write(text, portionAt, 'latin1');
  const end = kernel.tags(portionAt, portionAt + text.length, tableAt, memory.length);
  return end === 0 ? null : { offsets: table, length: (end - tableAt) / 4, base: portionAt };
}

/**
 * Base64 (RFC 4648 §4) without the folding white space in it; null for a text that is none. Undefined for one of more than 64 KiB, and
 * where there is no kernel.
 */
export function compactBase64(text: string): string | null | undefined {
  const kernel = loadKernel();
  if (kernel === null || text.length > maxRun) return undefined;
  const { memory } = kernel;
  memory.write(text, portionAt, 'latin1');
  const end = kernel.base64(resultAt, portionAt, portionAt + text.length);
  return end === 0 ? null : memory.toString('latin1', resultAt, end);
}
