import { applyEdits, parseHeader } from '@zegel/message';
import type { HeaderEdits } from '@zegel/message';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyModifications, fullOffer, joinMessage, renderEdits, splitMessage } from '../src/index.ts';
import type { Modification, QueuedMessage } from '../src/index.ts';
import { bytesOf, connectBoth, greet, latin1 } from './connection.ts';

const sender = { address: '<ann@example.org>', parameters: [] };
const recipients = [{ address: '<bob@example.net>', parameters: [] }];
const exact = { leadingSpace: true };

const queued = (raw: string): QueuedMessage => {
  return { ...splitMessage(bytesOf(raw)), sender: '<a@b>', recipients: ['<c@d>', '<e@f>'], quarantine: null };
};
const changed = (raw: string, changes: readonly Modification[], agreement = exact): string =>
  latin1(joinMessage(applyModifications(queued(raw), changes, agreement)));
const shown = (modifications: readonly Modification[]): string[] =>
  modifications.map((one) =>
    'index' in one ? `${one.kind} ${one.index} ${latin1(one.name)}|${latin1(one.value)}` : one.kind,
  );

function field(kind: 'insert-header' | 'change-header', index: number, name: string, value: string): Modification {
  return { kind, index, name: bytesOf(name), value: bytesOf(value) };
}

describe('header edits', () => {
  const edits: HeaderEdits = {
    remove: [
      { name: 'A', occurrence: 1 },
      { name: 'b', occurrence: 2 },
      { name: 'a', occurrence: 3 },
      { name: 'A', occurrence: 3 },
      { name: '', occurrence: 1 },
    ],
    prepend: [bytesOf('X: 1\r\n\tfolded\r\n'), bytesOf('Y:2\r\n')],
  };

  it('are said from the highest occurrence down, then from the last new field to the first, with LF in folds', () => {
    expect(shown(renderEdits(edits, exact))).toEqual([
      'change-header 3 A|',
      'change-header 2 b|',
      'change-header 1 A|',
      'insert-header 0 Y|2',
      'insert-header 0 X| 1\n\tfolded',
    ]);
  });

  it('leave the space to the MTA when it adds one itself', () => {
    const said = shown(renderEdits({ ...edits, remove: [] }, { leadingSpace: false }));
    expect(said).toEqual(['insert-header 0 Y|2', 'insert-header 0 X|1\n\tfolded']);
  });

  it('with a new field that is none are the mistake of the caller', () => {
    expect(() => renderEdits({ remove: [], prepend: [bytesOf('no colon\r\n')] }, exact)).toThrow(/colon/);
  });

  it('make of a message in an MTA what they make of its bytes', async () => {
    const value = fc.string({ unit: fc.constantFrom(' ', '\t', 'a', '\xe9', ':', '\r\n ', '\r\n\t') });
    const name = fc.constantFrom('A', 'a', 'B', 'Authentication-Results');
    const field = fc.tuple(name, value).map(([name, text]) => `${name}:${text}\r\n`);
    const anyEdits = fc.record({
      remove: fc.array(fc.record({ name, occurrence: fc.integer({ min: 1, max: 4 }) }), { maxLength: 5 }),
      prepend: fc.array(
        field.map((text) => bytesOf(text)),
        { maxLength: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(field, { maxLength: 8 }), anyEdits, async (fields, edits) => {
        const header = fields.join('');
        const raw = bytesOf(`${header}\r\nbody\r\n`);
        const { client } = await connectBoth(() => ({ endOfMessage: () => ({ edits }) }));
        await greet(client);
        const { modifications } = await client.sendMessage({ sender, recipients, raw });
        await client.quit();
        const after = changed(latin1(raw), modifications, client.agreement);
        expect(after).toBe(`${latin1(applyEdits(parseHeader(bytesOf(header)), edits))}\r\nbody\r\n`);
      }),
      { numRuns: 60 },
    );
  });

  it('give new fields their one space with an MTA that adds it, too', async () => {
    const newFields: HeaderEdits = { remove: [], prepend: [bytesOf('X: 1\r\n y\r\n')] };
    const { client } = await connectBoth(() => ({ endOfMessage: () => ({ edits: newFields }) }), {
      offer: { ...fullOffer, protocol: 0 },
    });
    await greet(client);
    const raw = 'A: b\r\n\r\n';
    const { modifications } = await client.sendMessage({ sender, recipients, raw: bytesOf(raw) });
    expect(changed(raw, modifications, client.agreement)).toBe(`X: 1\r\n y\r\n${raw}`);
  });
});

describe('modifications in Postfix', () => {
  const raw = 'A: 1\r\nB: 2\r\na: 3\r\n\r\nbody';

  it.each<[string, Modification, string]>([
    ['CHGHEADER of the second of a name', field('change-header', 2, 'A', ' x'), 'A: 1\r\nB: 2\r\nA: x\r\n\r\nbody'],
    ['CHGHEADER at 0', field('change-header', 0, 'A', ' x'), 'A: x\r\nB: 2\r\na: 3\r\n\r\nbody'],
    ['CHGHEADER beyond the last', field('change-header', 9, 'A', ' x'), 'A: 1\r\nB: 2\r\na: 3\r\nA: x\r\n\r\nbody'],
    ['CHGHEADER of nothing to nothing', field('change-header', 9, 'A', ''), raw],
    [
      'INSHEADER in the middle',
      field('insert-header', 2, 'N', ' x\n y'),
      'A: 1\r\nN: x\r\n y\r\nB: 2\r\na: 3\r\n\r\nbody',
    ],
    ['INSHEADER with CRLF, which doubles the CR', field('insert-header', 0, 'N', ' x\r\n y'), `N: x\r\r\n y\r\n${raw}`],
    [
      'ADDHEADER',
      { kind: 'add-header', name: bytesOf('N'), value: bytesOf(' x') },
      'A: 1\r\nB: 2\r\na: 3\r\nN: x\r\n\r\nbody',
    ],
    ['REPLBODY', { kind: 'replace-body', chunk: bytesOf('new') }, 'A: 1\r\nB: 2\r\na: 3\r\n\r\nnew'],
  ])('%s', (_what, change, expected) => {
    expect(changed(raw, [change])).toBe(expected);
  });

  it('change the envelope, and hold the message', () => {
    const changes: Modification[] = [
      { kind: 'change-sender', address: '<x@y>', parameters: '' },
      { kind: 'add-recipient', address: '<g@h>' },
      { kind: 'delete-recipient', address: '<c@d>' },
      { kind: 'delete-recipient', address: '<nobody@h>' },
      { kind: 'quarantine', reason: 'why' },
    ];
    const message = applyModifications(queued(raw), changes, exact);
    expect(message).toMatchObject({ sender: '<x@y>', recipients: ['<e@f>', '<g@h>'], quarantine: 'why' });
  });

  it('replace a body of any length, in frames that fit', async () => {
    const chunk = Buffer.alloc(150_000, 'abc');
    const { client } = await connectBoth(
      () => ({ endOfMessage: () => ({ modifications: [{ kind: 'replace-body', chunk }] }) }),
      { wishes: { actions: ['change-body'] } },
    );
    await greet(client);
    const { modifications } = await client.sendMessage({ sender, recipients, raw: bytesOf(raw) });
    expect(modifications).toHaveLength(3);
    const { body } = applyModifications(queued(raw), modifications, client.agreement);
    expect(chunk.equals(body)).toBe(true);
  });
});
