import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, editMessage, editMessageStream, noEdits, parseHeader } from '../src/index.ts';
import type { HeaderEdits } from '../src/index.ts';
import { MilterHeader } from './milter-header.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const edit = (text: string, edits: HeaderEdits): string => latin1(editMessage(bytesOf(text), edits));

async function editInChunks(chunks: readonly Uint8Array[], edits: HeaderEdits): Promise<string> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const out: Uint8Array[] = [];
  for await (const part of editMessageStream(stream(), edits)) out.push(Buffer.from(part));
  return latin1(Buffer.concat(out));
}

const newField = (text: string): Uint8Array => bytesOf(`${text}\r\n`);

describe('header edits', () => {
  it('remove by name and occurrence as received, and put new fields on top in order', () => {
    const edits = { remove: [{ name: 'X', occurrence: 2 }], prepend: [newField('New: 1'), newField('New: 2')] };
    expect(edit('x: a\r\nY: b\r\nX: c\r\nX : d\r\n\r\nbody', edits)).toBe(
      'New: 1\r\nNew: 2\r\nx: a\r\nY: b\r\nX : d\r\n\r\nbody',
    );
  });

  it.each([
    ['header only', 'A: b\r\n', 'N: 1\r\nA: b\r\n'],
    ['cut off inside a field', 'A: b', 'N: 1\r\nA: b'],
    ['no header', '\r\nbody', 'N: 1\r\n\r\nbody'],
    ['nothing at all', '', 'N: 1\r\n'],
    ['an empty body', 'A: b\r\n\r\n', 'N: 1\r\nA: b\r\n\r\n'],
  ])('leave a message with %s otherwise as it is', async (_what, text, expected) => {
    const edits = { remove: [], prepend: [newField('N: 1')] };
    expect(edit(text, edits)).toBe(expected);
    expect(await editInChunks([bytesOf(text)], edits)).toBe(expected);
  });

  it('remove lines that are no fields by their place among such lines', () => {
    const remove = [{ name: '', occurrence: 2 }];
    expect(edit('junk\r\nA: b\r\nmore junk\r\n x\r\nC: d\r\n\r\n', { remove, prepend: [] })).toBe(
      'junk\r\nA: b\r\nC: d\r\n\r\n',
    );
  });

  it('of nothing change nothing, and occurrences that are not there are ignored', () => {
    const text = 'A: b\r\nA: c\r\n\r\nbody';
    expect(edit(text, noEdits)).toBe(text);
    expect(
      edit(text, {
        remove: [
          { name: 'a', occurrence: 3 },
          { name: 'b', occurrence: 1 },
        ],
        prepend: [],
      }),
    ).toBe(text);
  });
});

const field = fc.tuple(fc.constantFrom('A', 'a', 'B', 'Authentication-Results'), fc.constantFrom('', ' x', ' y\r\n z'));
const removal = fc.record({
  name: fc.constantFrom('a', 'B', 'authentication-results', 'none'),
  occurrence: fc.integer({ min: 1, max: 6 }),
});
const edits = fc.record({
  remove: fc.array(removal, { maxLength: 8 }),
  prepend: fc
    .array(fc.constantFrom('New: 1', 'A: new', 'B: new\r\n folded'), { maxLength: 4 })
    .map((texts) => texts.map(newField)),
});

describe('any edits', () => {
  it('give over bytes what a milter gives by CHGHEADER and INSHEADER', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), edits, (fields, changes) => {
        const text = fields.map(([name, value]) => `${name}:${value}\r\n`).join('');
        const mta = new MilterHeader(fields);
        mta.render(changes);
        expect(latin1(applyEdits(parseHeader(bytesOf(text)), changes))).toBe(mta.text());
      }),
    );
  });

  it('give the same in chunks as in one piece', async () => {
    const message = fc
      .array(fc.constantFrom('A: b\r\n', 'B: c\r\n d\r\n', 'junk\r\n', '\r\n', 'body', '\r'), { maxLength: 12 })
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(message, edits, fc.integer({ min: 1, max: 9 }), async (text, changes, size) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < text.length; at += size) chunks.push(bytesOf(text.slice(at, at + size)));
        expect(await editInChunks(chunks, changes)).toBe(edit(text, changes));
      }),
    );
  });
});
