import type { HeaderEdits } from '@zegel/message';
import type { Agreement } from './agreement.ts';
import { MilterEncodingError } from './errors.ts';
import type { Modification } from './reply.ts';

const COLON = 0x3a;
const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;

const nothing = new Uint8Array(0);

/**
 * Header edits as a filter says them. Removals go from the highest occurrence of a name down, because Postfix counts anew
 * after each and Sendmail does not; new fields go in at the top from the last to the first, because 0 is the one place
 * that means the same to both. Lines of a folded field end in LF, as MTAs want them.
 *
 * When the leading space was not agreed on, the MTA puts a space before each value: one that begins with a space loses
 * it here, and any other arrives with a space more. Removals of lines that are no header fields (an empty name) are left
 * out: no MTA hands those over as fields. Throws MilterEncodingError when a new field has no colon.
 */
export function renderEdits(
  { remove, prepend }: HeaderEdits,
  { leadingSpace }: Pick<Agreement, 'leadingSpace'>,
): readonly Modification[] {
  const removals = new Map<string, { readonly name: string; readonly occurrence: number }>();
  for (const removal of remove) {
    if (removal.name !== '') removals.set(`${removal.name.toLowerCase()}:${removal.occurrence}`, removal);
  }
  const removed = [...removals.values()]
    .toSorted((one, other) => other.occurrence - one.occurrence)
    .map(({ name, occurrence }): Modification => {
      return { kind: 'change-header', index: occurrence, name: Buffer.from(name, 'latin1'), value: nothing };
    });
  return [...removed, ...prepend.toReversed().map((field) => renderInsertion(field, leadingSpace))];
}

function renderInsertion(field: Uint8Array, leadingSpace: boolean): Modification {
  const colon = field.indexOf(COLON);
  if (colon < 1) throw new MilterEncodingError('a new header field has a name and a colon');
  const value = withBareFolds(field.subarray(colon + 1));
  const sent = !leadingSpace && value[0] === SP ? value.subarray(1) : value;
  return { kind: 'insert-header', index: 0, name: field.subarray(0, colon), value: sent };
}

/** A value without its last line end, each CRLF inside as LF. */
export function withBareFolds(value: Uint8Array): Uint8Array {
  const endsInLine = value.at(-1) === LF && value.at(-2) === CR;
  const content = endsInLine ? value.subarray(0, -2) : value;
  if (!content.includes(CR)) return content;
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1');
  return Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1');
}
