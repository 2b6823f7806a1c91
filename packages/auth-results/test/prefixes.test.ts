import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uniquePrefixes } from '../src/index.ts';

describe('RFC 6008 §4 the part of a signature that tells it from the others', () => {
  test('is eight characters when that is enough', () => {
    expect(uniquePrefixes(['gfT/i2HBxxxx', 'CfNW8cht1/v3'])).toEqual(['gfT/i2HB', 'CfNW8cht']);
  });

  test('is longer when signatures begin alike', () => {
    expect(uniquePrefixes(['abcdefghij1', 'zzzzzzzzzz', 'abcdefghij2', 'abcdefgh3'])).toEqual([
      'abcdefghij1',
      'zzzzzzzz',
      'abcdefghij2',
      'abcdefgh3',
    ]);
  });

  test('is all there is of a short, repeated or contained one', () => {
    expect(uniquePrefixes(['ab', 'abcdefghijk', 'abcdefghi', 'ab', ''])).toEqual([
      'ab',
      'abcdefghij',
      'abcdefghi',
      'ab',
      '',
    ]);
    expect(uniquePrefixes([])).toEqual([]);
  });

  test('is the shortest that does', () => {
    const values = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), { maxLength: 8 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 4 }), (all, minimum) => {
        const expected = all.map((value) => {
          let length = minimum;
          while (
            length < value.length &&
            all.some((other) => other !== value && other.startsWith(value.slice(0, length)))
          )
            length++;
          return value.slice(0, length);
        });
        expect(uniquePrefixes(all, minimum)).toEqual(expected);
      }),
    );
  });
});
