import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldBytes, fieldsNamed, fieldValue, hasBareLineEnds, headerFromPairs, parseHeader } from '../src/index.ts';
import { plainFields } from '../src/header.ts';
import type { Header } from '../src/index.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const parse = (text: string): Header => parseHeader(bytesOf(text));
const names = (header: Header): string[] => header.fields.map(({ name }) => name);
const texts = (header: Header): string[] =>
  header.fields.map((field) => Buffer.from(fieldBytes(header, field)).toString('latin1'));

describe('RFC 5322 §2.2 header fields', () => {
  it('are lines of a name, a colon and a value', () => {
    const header = parse('From: a@example.com\r\nSUBJECT:b\r\n');
    expect(names(header)).toEqual(['from', 'subject']);
    expect(header.fields[1]).toEqual({ name: 'subject', start: 21, colon: 28, end: 32 });
  });

  it('may have an empty value', () => {
    const header = parse('Subject:\r\nTo: \t\r\n');
    expect(header.fields.map((field) => fieldValue(header, field))).toEqual(['', '']);
  });

  it('need no final CRLF when the message ends inside one', () => {
    const header = parse('From: a\r\nSubject: cut o');
    expect(texts(header)).toEqual(['From: a\r\n', 'Subject: cut o']);
    expect(fieldValue(header, header.fields[1]!)).toBe('cut o');
  });

  it('may be none at all', () => {
    expect(parse('').fields).toEqual([]);
  });

  it.each([
    ['no colon', 'no colon here\r\n'],
    ['an empty name', ': value\r\n'],
    ['a blank in the name', 'Fr om: a\r\n'],
    ['a control in the name', 'Fr\x00om: a\r\n'],
    ['an octet above US-ASCII in the name', 'Fr\xe9: a\r\n'],
    ['DEL in the name', 'Fr\x7f: a\r\n'],
    ['a colon behind a fold', 'From\r\n : a\r\n'],
    ['a bare CR before the colon', 'From\r: a\r\n'],
    ['nothing but blanks', ' \t \r\n'],
    ['an mbox separator', 'From a@example.com Tue Nov 24 04:00:00 2026\r\n'],
  ])('that are none (%s) are kept under no name', (_what, line) => {
    const header = parse(`${line}To: b\r\n`);
    expect(names(header)).toEqual(['', 'to']);
    expect(texts(header)).toEqual([line, 'To: b\r\n']);
  });
});

describe('RFC 5322 §2.2.3 folding', () => {
  it('continues a field with lines that begin with a space or a tab', () => {
    const header = parse('Subject: a\r\n b\r\n\tc\r\nTo: d\r\n');
    expect(names(header)).toEqual(['subject', 'to']);
    expect(fieldValue(header, header.fields[0]!)).toBe('a b\tc');
  });

  it('takes an indented first line as no field, with the lines that continue it', () => {
    expect(texts(parse(' From: a\r\n b\r\nTo: c\r\n'))).toEqual([' From: a\r\n b\r\n', 'To: c\r\n']);
  });

  it('lets a line hold white space alone', () => {
    const header = parse('Subject: a\r\n \r\n\t\r\nTo: b\r\n');
    expect(names(header)).toEqual(['subject', 'to']);
    expect(fieldValue(header, header.fields[0]!)).toBe('a');
  });
});

describe('RFC 5322 §4.5 obsolete header fields', () => {
  it('have white space before the colon', () => {
    const header = parse('From \t: a\r\n');
    expect(header.fields[0]).toMatchObject({ name: 'from', colon: 6 });
    expect(fieldValue(header, header.fields[0]!)).toBe('a');
  });
});

describe('RFC 5322 §2.2 line ends', () => {
  it('are CRLF alone: a lone CR or LF is content', () => {
    const header = parse('Subject: a\nTo: b\rCc: c\n\r\nDate: d\r\n');
    expect(names(header)).toEqual(['subject', 'date']);
    expect(fieldValue(header, header.fields[0]!)).toBe('a\nTo: b\rCc: c\n');
  });

  it('leaves a CR before the final CRLF in the value', () => {
    const header = parse('From: a@example.com\r\r\n');
    expect(fieldValue(header, header.fields[0]!)).toBe('a@example.com\r');
  });
});

describe('RFC 6532 values', () => {
  it('are UTF-8, with U+FFFD for what is not, and no white space but space and tab is trimmed', () => {
    const header = parseHeader(
      Buffer.concat([Buffer.from('Subject: \u00a0\u00e9 '), Buffer.of(0xff), Buffer.from('\u00a0\r\n')]),
    );
    expect(fieldValue(header, header.fields[0]!)).toBe('\u00a0é \ufffd\u00a0');
  });
});

describe('fieldsNamed', () => {
  it('finds by name in any case, top first', () => {
    const header = parse('a: 1\r\nB: 2\r\nA : 3\r\n');
    expect(fieldsNamed(header, 'A').map((field) => fieldValue(header, field))).toEqual(['1', '3']);
  });
});

const awkward = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', ':', 'a', 'From', 'é', '\0', ';', 'x: y\r\n'), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''));

describe('any header', () => {
  it('is the concatenation of its fields', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        expect(texts(parse(text)).join('')).toBe(text);
      }),
    );
  });

  it('has names without blanks, controls and colons, right before the colon but for white space', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        for (const { name, start, colon } of parse(text).fields.filter((field) => field.name !== '')) {
          expect(text.charAt(colon)).toBe(':');
          expect(
            text
              .slice(start, colon)
              .replace(/[ \t]+$/, '')
              .toLowerCase(),
          ).toBe(name);
          expect(name).toMatch(/^[!-9;-~]+$/);
        }
      }),
    );
  });

  it('reads the same in a larger buffer', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        const inside = bytesOf(`XX${text}XX`).subarray(2, 2 + text.length);
        const header = parseHeader(inside);
        expect(header.fields).toEqual(parse(text).fields);
        expect(header.fields.map((field) => fieldValue(header, field))).toEqual(
          parse(text).fields.map((field) => fieldValue(parse(text), field)),
        );
      }),
    );
  });
});

const fromPairs = (...pairs: [string, string][]): Header =>
  headerFromPairs(pairs.map(([name, value]) => [bytesOf(name), bytesOf(value)]));

describe('a header from name and value pairs (milter)', () => {
  it('is the header that the MTA has, folds as CRLF', () => {
    const header = fromPairs(['From', ' a@example.com'], ['Subject', ' b\n c\r\n\td'], ['X', '']);
    expect(Buffer.from(header.bytes).toString('latin1')).toBe(
      'From: a@example.com\r\nSubject: b\r\n c\r\n\td\r\nX:\r\n',
    );
  });

  it('has one field per pair, whatever the value holds', () => {
    const header = fromPairs(
      ['A', ' 1\nFrom: evil@example.com'],
      ['B', ' 2\r\nC: 3'],
      ['D', ' 4\n'],
      ['', 'x'],
      ['E F', ''],
    );
    expect(names(header)).toEqual(['a', 'b', 'd', '', '']);
    expect(texts(header)[0]).toBe('A: 1\nFrom: evil@example.com\r\n');
    expect(texts(header)[2]).toBe('D: 4\n\r\n');
  });

  it('equals the parsed header for whatever parses', () => {
    const value = fc.array(fc.constantFrom('a', ' ', '\t', '\r\n ', '\r\n\t', 'é', ':'), { maxLength: 10 });
    const pair = fc.tuple(
      fc.constantFrom('From', 'X-a', 'To '),
      value.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 8 }), (pairs) => {
        const parsed = parse(pairs.map(([name, text]) => `${name}:${text}\r\n`).join(''));
        expect(fromPairs(...pairs).fields).toEqual(parsed.fields);
      }),
    );
  });
});

describe('The fields of any header', () => {
  const part = fc.oneof(
    fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', ':', ' :', 'From', 'X-Any', '\0', 'é', '\x7f', 'a: b\r\n', '\r\n c'),
    fc.tuple(fc.constantFrom('a', ' ', '\r\n', 'word '), fc.nat(40)).map(([text, count]) => text.repeat(count)),
  );

  it('are found by the vectorized search as by the plain one', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const bytes = bytesOf(parts.join(''));
        const header = parseHeader(bytes);
        expect(header.fields).toEqual(plainFields(bytes));
        const isBare = /\r(?!\n)|(?<!\r)\n/.test(parts.join(''));
        expect(hasBareLineEnds(header)).toBe(isBare);
        expect(hasBareLineEnds({ bytes, fields: header.fields })).toBe(isBare);
      }),
      { numRuns: 5000 },
    );
  });

  it('are found where one header was shorter than the one before', () => {
    parse('A: 1\r\n'.repeat(100));
    const bytes = bytesOf('B: 2\r\n\tc');
    expect(parseHeader(bytes).fields).toEqual([{ name: 'b', start: 0, colon: 1, end: bytes.length }]);
  });

  it.each([1, 5_000, 5_200, 30_000])('are found when there are %i', (count) => {
    const bytes = bytesOf('A: 1\r\n'.repeat(count));
    const { fields } = parseHeader(bytes);
    expect(fields).toHaveLength(count);
    expect(fields).toEqual(plainFields(bytes));
    for (const end of ['', '\r', '\n']) {
      expect(hasBareLineEnds(parseHeader(bytesOf(`${'A: 1\r\n'.repeat(count)}B: 2${end}`)))).toBe(end !== '');
    }
  });
});
