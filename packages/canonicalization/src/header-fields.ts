import { loadKernel, maxPortion, portionAt, tableAt } from './kernel.ts';
import type { Places } from './kernel.ts';

/**
 * Finds the fields of a header block (RFC 5322 §2.2): only CRLF ends a line, and one that begins with white space continues the field.
 * Null for more than 128 KiB or some thousand fields, and where there is no kernel.
 *
 * Three offsets for each field: behind it, behind its name, and that of its colon, the last two being where the field begins when
 * it has no name.
 */
export function findHeaderFields(header: Uint8Array): Places | null {
  const kernel = loadKernel();
  if (kernel === null || header.length > maxPortion) return null;
  const { memory, table } = kernel;
  memory.set(header, portionAt);
  const end = kernel.fields(portionAt, portionAt + header.length, tableAt, memory.length);
  return end === 0 ? null : { offsets: table, length: (end - tableAt) / 4, base: portionAt };
}
