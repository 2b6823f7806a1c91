import { tableAt, loadKernel, maxPortion, portionAt } from './kernel.ts';

/**
 * Where the fields of a header stand, as the kernel sees them: three offsets for each, behind the field, behind its name, and
 * that of its colon, the last two being where the field begins when it has no name. They count from `FieldPlaces.base`.
 */
export interface FieldPlaces {
  /** Only valid until the next header is looked at. */
  readonly offsets: Int32Array;
  /** How many of them there are. */
  readonly length: number;
  /** Subtract this from an offset. */
  readonly base: number;
}

/**
 * Finds the fields of a header block (RFC 5322 §2.2): only CRLF ends a line, and one that begins with white space continues the field.
 * Null for more than 128 KiB or some thousand fields, and where there is no kernel.
 */
export function findHeaderFields(header: Uint8Array): FieldPlaces | null {
  const kernel = loadKernel();
  if (kernel === null || header.length > maxPortion) return null;
  const { memory, table } = kernel;
  memory.set(header, portionAt);
  const end = kernel.fields(portionAt, portionAt + header.length, tableAt, memory.length);
  return end === 0 ? null : { offsets: table, length: (end - tableAt) / 4, base: portionAt };
}
