import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBase64, parseTagList, utf8, withoutFws } from '../src/tag-list.ts';

const values = (text: string): Record<string, string> | string => {
  const list = parseTagList(text);
  return list.ok ? Object.fromEntries([...list.tags].map(([name, { value }]) => [name, value])) : list.reason;
};

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
});

describe('RFC 6376 §3.2 base64', () => {
  it.each([
    ['AAEC', 'AAEC'],
    ['A A\r\n\tEC', 'AAEC'],
    ['AA==', 'AA=='],
    ['AAE=', 'AAE='],
    ['AA', 'AA'],
  ])('%j is read', (text, expected) => {
    expect(withoutFws(text)).toBe(expected);
    expect(isBase64(withoutFws(text))).toBe(true);
  });

  it.each(['', '=', 'A=A=', 'A-_A', 'AA===', 'é', 'A\0A', 'A\u00a0A'])('%j is none', (text) => {
    expect(isBase64(withoutFws(text))).toBe(false);
  });

  it('is whatever was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        expect(isBase64(Buffer.from(bytes).toString('base64'))).toBe(true);
      }),
    );
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
