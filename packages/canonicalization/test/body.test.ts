import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBodyCanonicalizer } from '../src/index.ts';
import type { Canonicalization } from '../src/index.ts';
import { referenceBody } from './reference.ts';

function canonical(canonicalization: Canonicalization, chunks: readonly Uint8Array[]): Buffer {
  const out: Uint8Array[] = [];
  const body = createBodyCanonicalizer(canonicalization, (bytes) => out.push(Buffer.from(bytes)));
  for (const chunk of chunks) body.update(chunk);
  body.end();
  return Buffer.concat(out);
}

const text = (canonicalization: Canonicalization, body: string): string =>
  canonical(canonicalization, [Buffer.from(body, 'latin1')]).toString('latin1');

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

describe('RFC 6376 §3.4.3 simple body', () => {
  it('takes an empty body as one CRLF', () => {
    expect(digest(canonical('simple', []))).toBe('frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=');
  });

  it.each([
    ['a', 'a\r\n'],
    ['a\r\n', 'a\r\n'],
    ['a\r\n\r\n\r\n', 'a\r\n'],
    ['\r\n\r\n', '\r\n'],
    ['a \r\n \r\n\r\n', 'a \r\n \r\n'],
    ['a\r\n\r', 'a\r\n\r\r\n'],
    ['a\n\r\n', 'a\n\r\n'],
    ['a\n\n', 'a\n\n\r\n'],
    ['\r\n\r\na', '\r\n\r\na\r\n'],
  ])('%j becomes %j', (body, expected) => {
    expect(text('simple', body)).toBe(expected);
  });
});

describe('RFC 6376 §3.4.4 relaxed body', () => {
  it('takes an empty body as no bytes at all', () => {
    expect(digest(canonical('relaxed', []))).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });

  it.each([
    [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['a', 'a\r\n'],
    ['a \t', 'a\r\n'],
    [' \r\n\t\r\n', ''],
    [' ', ''],
    ['\r\n\r\n', ''],
    ['\r\n \r\na', '\r\n\r\na\r\n'],
    ['a \r b\r\n', 'a \r b\r\n'],
    ['a \r', 'a \r\r\n'],
    ['a \n b\r\n', 'a \n b\r\n'],
    ['a \r\r\n', 'a \r\r\n'],
  ])('%j becomes %j', (body, expected) => {
    expect(text('relaxed', body)).toBe(expected);
  });
});

const bodyText = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', 'a', 'b', 'é', '\0', '\r\n\r\n', '  '), { maxLength: 40 })
  .map((parts) => parts.join(''));
const canonicalizations = fc.constantFrom<Canonicalization>('simple', 'relaxed');

describe('any body', () => {
  it('is canonicalized as the RFC says, wherever the chunk borders fall', () => {
    fc.assert(
      fc.property(canonicalizations, bodyText, fc.array(fc.nat(60)), (canonicalization, body, borders) => {
        const bytes = Buffer.from(body, 'latin1');
        const cuts = [
          0,
          ...borders.map((border) => Math.min(border, bytes.length)).toSorted((a, b) => a - b),
          bytes.length,
        ];
        const chunks = cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut));
        expect(canonical(canonicalization, chunks).toString('latin1')).toBe(referenceBody(canonicalization, body));
      }),
      { numRuns: 2000 },
    );
  });

  it('is left alone when it is canonical already', () => {
    fc.assert(
      fc.property(canonicalizations, bodyText, (canonicalization, body) => {
        const once = text(canonicalization, body);
        expect(text(canonicalization, once)).toBe(once);
      }),
    );
  });

  it('may hold more empty lines than fit into one block before its last line', () => {
    const body = `${'\r\n'.repeat(20_000)}.`;
    for (const canonicalization of ['simple', 'relaxed'] as const) {
      expect(text(canonicalization, body)).toBe(`${body}\r\n`);
      const chunks = Array.from(body, (char) => Buffer.from(char));
      expect(canonical(canonicalization, chunks).toString()).toBe(`${body}\r\n`);
    }
  });

  it('may be handed in whole: what lies across the borders of its portions is no different', () => {
    const seams = [
      'a b',
      'a  b',
      'a \r\nb',
      'a\r\n\r\nb',
      ' \r\n\t\r\n',
      'a\r\rb',
      'a \rb',
      '\r\n',
      ' \r',
      '\r\n \r\n',
      'a\t',
    ];
    fc.assert(
      fc.property(
        canonicalizations,
        fc.constantFrom('x', 'x y', 'x\r\n', 'x \t', '\r\n'),
        fc.array(fc.tuple(fc.constantFrom(...seams), fc.integer({ min: -4, max: 4 })), { minLength: 1, maxLength: 4 }),
        (canonicalization, filler, parts) => {
          const body = parts
            .map(([seam, shift]) => filler.repeat(9_000).slice(0, 8_192 - seam.length + shift) + seam)
            .join('');
          expect(text(canonicalization, body) === referenceBody(canonicalization, body)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
