import { describe, expect, it } from 'vitest';
import { fieldsAmong, fieldsNamed, parseHeader, repeatedFields } from '../src/index.ts';

const header = parseHeader(
  Buffer.from('To: a\r\nX-Own: 1\r\nFROM : b\r\nto: c\r\n no field\r\n: none\r\nSubject: d\r\nTo: e\r\nx-own: 2\r\n'),
);

describe('Fields of several names', () => {
  it('are those of each name, in the order of the names, top first', () => {
    for (const names of [['from', 'to', 'cc', 'x-own', ''], ['to'], []]) {
      expect(fieldsAmong(header, names)).toEqual(names.map((name) => fieldsNamed(header, name)));
    }
  });

  it('are those of the header at hand, whatever another one had', () => {
    const names = ['to', 'from'];
    expect(fieldsAmong(header, names).map(({ length }) => length)).toEqual([3, 1]);
    expect(fieldsAmong(parseHeader(Buffer.from('From: a\r\n')), names).map(({ length }) => length)).toEqual([0, 1]);
    expect(fieldsAmong(header, names).map(({ length }) => length)).toEqual([3, 1]);
  });

  it('are found beyond those that a header lists', () => {
    const long = parseHeader(Buffer.from(`${'a:\r\n'.repeat(200_001)}b:\r\na:\r\n`));
    expect(fieldsAmong(long, ['b', 'a']).map(({ length }) => length)).toEqual([1, 200_002]);
  });
});

describe('Fields of which one is allowed', () => {
  it('are named when there are more, with how many there are', () => {
    expect(repeatedFields(header)).toEqual([{ field: 'to', found: 3 }]);
    const several = parseHeader(
      Buffer.from('Subject: a\r\nFrom: b\r\nReceived: c\r\nFROM: d\r\nReceived: e\r\nsubject: f\r\n'),
    );
    expect(repeatedFields(several)).toEqual([
      { field: 'from', found: 2 },
      { field: 'subject', found: 2 },
    ]);
    expect(repeatedFields(parseHeader(Buffer.from('')))).toEqual([]);
  });
});
