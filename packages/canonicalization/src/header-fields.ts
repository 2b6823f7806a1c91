import { loadKernel, maxPortion, portionAt, sawBareLineEnd, tableAt } from './kernel.ts';
import type { Places } from './kernel.ts';

/** Where the fields of a header are, and whether a CR or LF stands alone among them. */
export interface FieldPlaces extends Places {
  readonly bareLineEnds: boolean;
}

/**
 * Finds the fields of a header block (RFC 5322 §2.2): only CRLF ends a line, and one that begins with white space
 * continues the field. Null for more than 128 KiB or some thousand fields, and where there is no kernel.
 *
 * Three offsets for each field: behind it, behind its name, and that of its colon, the last two being where the field begins when
 * it has no name.
 */
export function findHeaderFields(header: Uint8Array): FieldPlaces | null {
  const kernel = loadKernel();
  if (kernel === null || header.length > maxPortion) return null;
  const { memory, table } = kernel;
  memory.set(header, portionAt);
  const end = kernel.fields(portionAt, portionAt + header.length, tableAt, memory.length);
  if (end === 0) return null;
  return { offsets: table, length: (end - tableAt) / 4, base: portionAt, bareLineEnds: sawBareLineEnd(kernel) };
}
