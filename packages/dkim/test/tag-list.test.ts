import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Text, parseTagList, plainBase64Text, plainTagList, utf8, withoutFws } from '../src/tag-list.ts';

const values = (text: string): Record<string, string> | string => {
  const list = parseTagList(text);
  return list.ok ? Object.fromEntries([...list.tags].map(([name, { value }]) => [name, value])) : list.reason;
};

/** One of the good texts, and now and then one of the bad ones. */
const mostly = (good: readonly string[], bad: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });

describe('RFC 6376 §3.2 tag=value lists', () => {
  it.each([
    ['v=1', { v: '1' }],
    ['v=1;', { v: '1' }],
    ['v=1; \t', { v: '1' }],
    ['v=1;\r\n ', { v: '1' }],
    [' v\t=\r\n 1 ;a= b ', { v: '1', a: 'b' }],
    ['v=; a=', { v: '', a: '' }],
    ['v=a=b=', { v: 'a=b=' }],
    ['v=a b\r\n\tc', { v: 'a b\r\n\tc' }],
    ['v=1; V=2', { v: '1', V: '2' }],
    ['a_1=x', { a_1: 'x' }],
    ['n=\xe9', { n: '\xe9' }],
    ['constructor=1', { constructor: '1' }],
  ])('%j is read', (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it.each([
    '',
    ';',
    ' ',
    'v',
    'v=1;;a=2',
    ';v=1',
    'v=1;a',
    '=1',
    '1v=1',
    'v w=1',
    '__proto__=1',
    'v=\0',
    'v=\x7f',
    'v=1\ra=2',
    'v=1\na=2',
    'v=1\r\na=2',
    'é=1',
    '"v=1"',
  ])('%j is refused', (text) => {
    expect(values(text)).toBe('syntax');
  });

  it('names a tag that stands there twice', () => {
    expect(parseTagList('v=1; a=2; v=1')).toEqual({ ok: false, reason: 'repeated-tag', tag: 'v' });
  });

  it('finds any of many tags, in their order, and the one that stands there twice', () => {
    const many = Array.from({ length: 100 }, (_, at) => `t${at}=${at}`);
    const list = parseTagList(many.join(';'));
    const tags = list.ok ? list.tags : [];
    expect([...tags].map(([name, { value }]) => `${name}=${value}`)).toEqual(many);
    for (const twice of ['t3', 't99']) {
      const text = `${many.join(';')};${twice}=x`;
      expect(parseTagList(text)).toEqual({ ok: false, reason: 'repeated-tag', tag: twice });
      expect(plainTagList(text)).toEqual(parseTagList(text));
    }
  });

  it('says where the raw value stands', () => {
    const text = 'v=1; b = AB\r\n CD ; c=x';
    const list = parseTagList(text);
    const tag = list.ok ? list.tags.get('b') : undefined;
    expect(text.slice(tag?.start, tag?.end)).toBe(' AB\r\n CD ');
  });

  it('reads in linear time: 384 kB of any of its characters', () => {
    for (const unit of [' ', ';', '=', 'a', '\r\n ', 'a=;', '\r', 'a=b;c', '\t;']) {
      expect(parseTagList(unit.repeat(393_216 / unit.length)).ok).toBe(false);
    }
    expect(parseTagList(`h=${' '.repeat(393_216)}x`).ok).toBe(true);
  });

  it('reads more than the kernel has room for', () => {
    const long = `v=1; n=${'x'.repeat(200_000)};a=2`;
    expect(values(long)).toMatchObject({ v: '1', a: '2' });
    const many = Array.from({ length: 5_000 }, (_, at) => `t${at}=${at}`);
    expect(values(many.join(';'))).toMatchObject({ t0: '0', t4999: '4999' });
  });

  it('reads with the kernel what it reads without it', () => {
    const blank = mostly(['', '', ' ', '\t', '\r\n ', '\r\n\t \r\n '], ['\r\n', '\r', '\n ', '\v']);
    const word = mostly(
      ['', '1', '=', 'a b', 'b==', '\xe9', 'x\r\n y', 'long word '.repeat(9), 'A'.repeat(33)],
      ['\x7f', '\0', 'x\r\ny', 'a\x1f', 'b'.repeat(15) + '\x7f'],
    );
    const name = mostly(['v', 'bh', 'a_1', 'Z9', 'x'.repeat(40)], ['', '1', '_', 'é', '[', '{']);
    const tag = fc.tuple(blank, name, blank, mostly(['='], ['']), blank, word, blank).map((parts) => parts.join(''));
    const list = fc.tuple(fc.array(tag, { maxLength: 6 }), blank).map(([tags, end]) => tags.join(';') + end);
    let read = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          list,
          list.map((text) => `${text};`),
        ),
        (text) => {
          const parsed = parseTagList(text);
          if (parsed.ok) read++;
          expect(parsed).toEqual(plainTagList(text));
        },
      ),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(500);
  });
});

describe('RFC 6376 §3.2 base64', () => {
  it.each([
    ['AAEC', 'AAEC'],
    ['A A\r\n\tEC', 'AAEC'],
    ['AA==', 'AA=='],
    ['AAE=', 'AAE='],
    ['AA', 'AA'],
  ])('%j is read', (text, expected) => {
    expect(base64Text(text)).toBe(expected);
  });

  it.each(['', ' ', '=', '==', 'A=A=', 'A-_A', 'AA===', 'é', 'A\0A', 'A\u00a0A', 'A;', '@AAA', '[AAA', '`AAA', '{AAA'])(
    '%j is none',
    (text) => {
      expect(base64Text(text)).toBeNull();
    },
  );

  it('is whatever was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(base64Text(text)).toBe(text);
        expect(base64Text(`${text.slice(0, 5)}\r\n ${text.slice(5)}`)).toBe(text);
      }),
    );
  });

  it('is read with the kernel as it is without it', () => {
    const part = fc.oneof(
      fc.constantFrom(' ', '\t', '\r\n', '=', '=', '+/', 'Az09', 'A'.repeat(15), 'b'.repeat(16), 'c'.repeat(40)),
      fc.nat(255).map((code) => String.fromCharCode(code)),
    );
    let read = 0;
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        const compact = base64Text(text);
        if (compact !== null) read++;
        expect(compact).toBe(plainBase64Text(text));
      }),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it('is read when it is more than the kernel has room for', () => {
    expect(base64Text(`${'A'.repeat(200_000)} ==`)).toBe(`${'A'.repeat(200_000)}==`);
  });
});

describe('RFC 8616 text in tags', () => {
  it('is UTF-8 or none', () => {
    expect(utf8('b\xc3\xbccher')).toBe('bücher');
    expect(utf8('b\xfccher')).toBeNull();
    expect(utf8('\xed\xa0\x80')).toBeNull();
  });

  it('has no white space but SP, HTAB and folds', () => {
    expect(withoutFws('a b\t\r\n c\u00a0d')).toBe('abc\u00a0d');
  });
});
