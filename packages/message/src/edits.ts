import { everyField } from './header.ts';
import type { Header } from './header.ts';
import { MessageScanner, parseMessage } from './parse.ts';

/**
 * Changes to a header, in a form every door can render: bytes spliced over REST, CHGHEADER and INSHEADER in the milter
 * protocol. The message itself is never rewritten.
 */
export interface HeaderEdits {
  /** Fields to take out: the `occurrence`-th (1 is the topmost) of `name` (any case), counted as received. */
  readonly remove: readonly { readonly name: string; readonly occurrence: number }[];
  /** Whole fields, each ending in CRLF, in the order they will stand at the top. */
  readonly prepend: readonly Uint8Array[];
}

/** Edits that change nothing. */
export const noEdits: HeaderEdits = { remove: [], prepend: [] };

/** The header block after the edits (the empty line that follows it is not part of it, before or after). */
export function applyEdits(header: Header, edits: HeaderEdits): Uint8Array {
  const removed = new Map<string, Set<number>>();
  for (const { name, occurrence } of edits.remove) {
    const key = name.toLowerCase();
    const occurrences = removed.get(key) ?? new Set<number>();
    removed.set(key, occurrences.add(occurrence));
  }
  const seen = new Map<string, number>();
  const parts: Uint8Array[] = [...edits.prepend];
  let keptFrom = 0;
  for (const field of everyField(header)) {
    const occurrences = removed.get(field.name);
    if (occurrences === undefined) continue;
    const occurrence = (seen.get(field.name) ?? 0) + 1;
    seen.set(field.name, occurrence);
    if (!occurrences.has(occurrence)) continue;
    parts.push(header.bytes.subarray(keptFrom, field.start));
    keptFrom = field.end;
  }
  parts.push(header.bytes.subarray(keptFrom));
  return Buffer.concat(parts);
}

/** A whole message after the edits. What lies behind the header, the empty line included, stays as it is. */
export function editMessage(raw: Uint8Array, edits: HeaderEdits): Uint8Array {
  const { header } = parseMessage(raw);
  return Buffer.concat([applyEdits(header, edits), raw.subarray(header.bytes.length)]);
}

/** The same for a message in chunks: holds the header in memory, and hands the body through. */
export async function* editMessageStream(
  chunks: AsyncIterable<Uint8Array>,
  edits: HeaderEdits,
): AsyncGenerator<Uint8Array> {
  const scanner = new MessageScanner();
  for await (const chunk of chunks) {
    const headerWasOpen = scanner.header === undefined;
    const body = scanner.push(chunk);
    if (headerWasOpen && scanner.header !== undefined) {
      yield applyEdits(scanner.header, edits);
      yield Buffer.from('\r\n');
    }
    if (body.length > 0) yield body;
  }
  if (scanner.header === undefined) yield applyEdits(scanner.end(), edits);
}
