import { loadKernel, maxPortion, maxRun, portionAt, resultAt, tableAt } from './kernel.ts';
import type { Places } from './kernel.ts';

/**
 * Finds the tags of a list (RFC 6376 §3.2) in text with one character per byte. Null for what is no such list, for more
 * than 128 KiB or some thousand tags, and where there is no kernel: why that is so is for a slower reader to say.
 *
 * Six offsets for each tag: where its name begins and ends, where its value begins and ends without folding white space
 * around it, and where the raw value begins and ends.
 */
export function findTags(text: string): Places | null {
  const kernel = loadKernel();
  if (kernel === null || text.length > maxPortion) return null;
  const { memory, table } = kernel;
  memory.write(text, portionAt, 'latin1');
  const end = kernel.tags(portionAt, portionAt + text.length, tableAt, memory.length);
  return end === 0 ? null : { offsets: table, length: (end - tableAt) / 4, base: portionAt };
}

/**
 * Base64 (RFC 4648 §4) without the folding white space in it; null for a text that is none. Undefined for one of more
 * than 64 KiB, and where there is no kernel.
 */
export function compactBase64(text: string): string | null | undefined {
  const kernel = loadKernel();
  if (kernel === null || text.length > maxRun) return undefined;
  const { memory } = kernel;
  memory.write(text, portionAt, 'latin1');
  const end = kernel.base64(resultAt, portionAt, portionAt + text.length);
  return end === 0 ? null : memory.toString('latin1', resultAt, end);
}
