import { everyField, parseMessage } from '@zegel/message';
import type { HeaderEdits } from '@zegel/message';
import type { z } from 'zod';
import { namedField } from './run-hook.ts';
import type { stalwartMessageSchema } from './stalwart-request.ts';

/** A message as MTA hooks of version 1 bring it, put together again. */
export interface RebuiltMessage {
  readonly raw: Uint8Array;
  /**
   * The octets may not be those of the message. Stalwart makes UTF-8 of all of it and puts U+FFFD where it was none; and its list
   * of header fields may not be all that stands before the body, which shows in the size it names.
   */
  readonly mayBeDamaged: boolean;
  /** The header fields as they were listed, with their place in `raw`. */
  readonly fields: readonly { readonly name: string; readonly start: number; readonly end: number }[];
}

const replacement = '\u{FFFD}';

/** Fields, an empty line, and the contents. A message without a body may lack the empty line: the size tells. */
export function rebuildMessage({ headers, contents, size }: z.output<typeof stalwartMessageSchema>): RebuiltMessage {
  const parts: Buffer[] = [];
  const fields: { name: string; start: number; end: number }[] = [];
  let length = 0;
  for (const [name, value] of headers) {
    const field = Buffer.from(`${name}:${value}`, 'utf8');
    fields.push({ name, start: length, end: length + field.length });
    parts.push(field);
    length += field.length;
  }
  if (contents !== '' || length !== size) parts.push(Buffer.from('\r\n'));
  parts.push(Buffer.from(contents, 'utf8'));
  const raw = Buffer.concat(parts);
  const isReplaced =
    contents.includes(replacement) ||
    headers.some(([name, value]) => name.includes(replacement) || value.includes(replacement));
  return { raw, mayBeDamaged: isReplaced || raw.length !== size, fields };
}

/** A change to the header, in the words of Stalwart's source. */
export type StalwartModification =
  | { readonly type: 'addHeader'; readonly name: string; readonly value: string }
  | { readonly type: 'deleteHeader'; readonly name: string; readonly index: number };

/**
 * Header edits as modifications. Stalwart makes them one after the other:
 *
 * - deleteHeader counts from 1 over fields of that name, which it compares with its blanks, and numbers those that are
 *   left anew: so
 *   the last one goes first
 * - addHeader puts a field on top. When others are deleted too, the last one added ends on top; else the first one does
 *
 * @returns also whether every field that had to go could be named.
 */
export function stalwartModifications(
  { raw, fields }: RebuiltMessage,
  edits: HeaderEdits,
): { readonly modifications: readonly StalwartModification[]; readonly isComplete: boolean } {
  const ranges = rangesOf(raw, edits.remove);
  const deletions: StalwartModification[] = [];
  const seen = new Map<string, number>();
  let touched = 0;
  let next = 0;
  // Both lists go from the top down; a field that is listed may hold a part of a range, or several ranges.
  for (const { name, start, end } of fields) {
    const key = name.toLowerCase();
    const index = (seen.get(key) ?? 0) + 1;
    seen.set(key, index);
    while (next < ranges.length && (ranges[next]?.end ?? 0) <= start) next++;
    if ((ranges[next]?.start ?? end) >= end) continue;
    touched++;
    if (!name.includes(replacement)) deletions.push({ type: 'deleteHeader', name, index });
  }
  const additions = edits.prepend.map((field) => ({ type: 'addHeader' as const, ...namedField(field) }));
  return {
    modifications: [...deletions.toReversed(), ...(deletions.length === 0 ? additions : additions.toReversed())],
    isComplete: deletions.length === touched && touched >= ranges.length,
  };
}

/** Where the fields to remove lie. */
function rangesOf(raw: Uint8Array, remove: HeaderEdits['remove']): readonly { start: number; end: number }[] {
  if (remove.length === 0) return [];
  const wanted = new Set(remove.map(({ name, occurrence }) => `${occurrence} ${name.toLowerCase()}`));
  const seen = new Map<string, number>();
  const ranges: { start: number; end: number }[] = [];
  for (const { name, start, end } of everyField(parseMessage(raw).header)) {
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    if (wanted.has(`${occurrence} ${name}`)) ranges.push({ start, end });
  }
  return ranges;
}
