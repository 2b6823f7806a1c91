import { parseHeader } from '@zegel/message';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectFields } from '../src/header-data.ts';
import { coverage, defaultSignedFields } from '../src/signed-fields.ts';

const someNames = ['from', 'to', 'cc', 'date', 'message-id', 'subject', 'sender', 'list-id', 'received', 'x-own'];
const names = fc.array(fc.constantFrom(...someNames), { maxLength: 12 });
const set = fc.oneof(fc.constant(defaultSignedFields), fc.record({ oversigned: names, whenPresent: names }));

describe('RFC 6376 §5.4 signed fields', () => {
  it('are, whatever the header and the set, those that a verifier takes for the names in h=', () => {
    fc.assert(
      fc.property(names, set, (present, wanted) => {
        const header = parseHeader(Buffer.from(present.map((name, at) => `${name}: ${at}\r\n`).join('')));
        const covered = coverage(header, wanted);
        expect(covered.fields).toEqual(selectFields(header, covered.names));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are named once more than they are when they are oversigned, and as often as they are when not', () => {
    const header = parseHeader(Buffer.from('To: a\r\nFrom: b\r\nSubject: c\r\nList-Id: d\r\nTo: e\r\nReceived: f\r\n'));
    const wanted = { oversigned: ['to', 'date', 'cc', 'subject'], whenPresent: ['list-id', 'to', 'sender'] };
    expect(coverage(header, wanted).names.join(':')).toBe('from:from:to:to:to:cc:subject:subject:list-id');
    const others = { oversigned: ['subject'], whenPresent: ['from', 'to'] };
    expect(coverage(header, others).names.join(':')).toBe('subject:subject:from:to:to');
  });
});

it.each(['organization;x-foo', 'X-Foo', 'x:y', ''])('a name that h= cannot say is refused: %s', (name) => {
  const header = parseHeader(Buffer.from('From: a\r\n'));
  for (const fields of [
    { oversigned: [name], whenPresent: [] },
    { oversigned: [], whenPresent: [name] },
  ]) {
    expect(() => coverage(header, fields)).toThrow(expect.objectContaining({ code: 'dkim.fields-unsignable' }));
  }
});

/** The values of what h= takes of a header; `own` is the place of the signature field. */
function valuesOf(text: string, h: string, own?: number): string {
  const header = parseHeader(Buffer.from(text));
  const taken = selectFields(header, h.split(':'), own === undefined ? undefined : header.fields[own]);
  return taken.map(({ colon, end }) => Buffer.from(header.bytes.subarray(colon + 1, end - 2)).toString()).join(' ');
}

describe('RFC 6376 §5.4.2 fields for the names in h=', () => {
  it('are taken from the bottom up, and none when they are used up', () => {
    const text = 'A:1\r\nB:2\r\nA:3\r\nC:4\r\nA:5\r\n';
    expect(valuesOf(text, 'a')).toBe('5');
    expect(valuesOf(text, 'a:b:a')).toBe('5 2 3');
    expect(valuesOf(text, 'c:a:a:a:a:b:b')).toBe('4 5 3 1 2');
    expect(valuesOf(text, 'x')).toBe('');
  });

  it('never are the signature field itself', () => {
    const text = 'DKIM-Signature:1\r\nDKIM-Signature:2\r\nDKIM-Signature:3\r\n';
    expect(valuesOf(text, 'dkim-signature:dkim-signature', 2)).toBe('2 1');
    expect(valuesOf(text, 'dkim-signature:dkim-signature:dkim-signature', 1)).toBe('3 1');
  });
});
