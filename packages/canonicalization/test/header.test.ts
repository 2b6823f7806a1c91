import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeaderCanonicalizer } from '../src/index.ts';
import type { Canonicalization } from '../src/index.ts';
import { referenceField } from './reference.ts';

function canonical(canonicalization: Canonicalization, ...fields: string[]): HeaderCanonicalizer {
  const header = new HeaderCanonicalizer(canonicalization);
  for (const field of fields) {
    const bytes = Buffer.from(`xx${field}xx`, 'latin1');
    header.add(bytes, 2, bytes.indexOf(':'), bytes.length - 2);
  }
  return header;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('RFC 6376 §3.4.1 simple header', () => {
  it('leaves the field as it is', () => {
    expect(latin1(canonical('simple', 'A :  X \t\r\n y\r\n').bytes())).toBe('A :  X \t\r\n y\r\n');
  });
});

describe('RFC 6376 §3.4.2 relaxed header', () => {
  it.each([
    ['A: X\r\n', 'a:X\r\n'],
    ['B : Y\t\r\n\tZ  \r\n', 'b:Y Z\r\n'],
    ['Subject:\r\n folded at once\r\n', 'subject:folded at once\r\n'],
    ['Subject:no space\r\n', 'subject:no space\r\n'],
    ['Empty:\r\n', 'empty:\r\n'],
    ['Empty: \t\r\n \r\n', 'empty:\r\n'],
    ['X:a\r\n', 'x:a\r\n'],
    ['X: lone \r here \n too\r\n', 'x:lone \r here \n too\r\n'],
    ['X: no end', 'x:no end\r\n'],
    ['X: caf\u00e9  \u00a0 \r\n', 'x:caf\u00e9 \u00a0\r\n'],
  ])('%j becomes %j', (field, expected) => {
    expect(latin1(canonical('relaxed', field).bytes())).toBe(expected);
  });

  it('gives the last field without its CRLF when asked', () => {
    const header = canonical('relaxed', 'A: 1\r\n', 'DKIM-Signature: v=1; b=\r\n');
    expect(latin1(header.bytes({ withoutFinalCrlf: true }))).toBe('a:1\r\ndkim-signature:v=1; b=');
  });
});

describe('any header field', () => {
  const value = fc
    .array(fc.constantFrom(' ', '\t', '\r\n ', '\r\n\t', '\r', '\n', 'a', ':', ';', 'é', '\0'), { maxLength: 30 })
    .map((parts) => parts.join(''));

  it('is canonicalized as the RFC says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Canonicalization>('simple', 'relaxed'),
        fc.constantFrom('X', 'Subject ', 'From\t'),
        value,
        fc.boolean(),
        (canonicalization, name, text, ended) => {
          // A value that ends in CR would make a CRLF of its own with the end of the field.
          const field = `${name}:${text.replace(/\r$/, '')}${ended ? '\r\n' : ''}`;
          expect(latin1(canonical(canonicalization, field).bytes())).toBe(referenceField(canonicalization, field));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is left alone when it is canonical already', () => {
    fc.assert(
      fc.property(fc.constantFrom<Canonicalization>('simple', 'relaxed'), value, (canonicalization, text) => {
        const once = latin1(canonical(canonicalization, `Subject :${text.replace(/\r$/, '')}\r\n`).bytes());
        expect(latin1(canonical(canonicalization, once).bytes())).toBe(once);
      }),
    );
  });
});
