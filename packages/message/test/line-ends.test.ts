import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineEndWatch, normalizeLineEnds } from '../src/index.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

function isBare(chunks: readonly Uint8Array[]): boolean {
  const watch = new LineEndWatch();
  for (const chunk of chunks) watch.update(chunk);
  watch.end();
  return watch.bare;
}

const text = fc
  // Lines long and short, and the length at which the way of looking changes.
  .array(fc.constantFrom('\r\n', '\r', '\n', 'a', '\r\n\r\n', 'a'.repeat(15), 'a'.repeat(16), 'a'.repeat(80)), {
    maxLength: 20,
  })
  .map((parts) => parts.join(''));

describe('RFC 5321 §2.3.8 lines', () => {
  it('end in CRLF alone: a CR or LF by itself is noticed, wherever the chunk borders fall', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(200)), (message, borders) => {
        const bytes = bytesOf(message);
        const cuts = [0, ...borders.map((at) => Math.min(at, bytes.length)), bytes.length].toSorted((a, b) => a - b);
        const chunks = cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut));
        const expected = /\r(?!\n)|(?<!\r)\n/.test(message);
        expect(isBare(chunks)).toBe(expected);
        expect(isBare([bytes])).toBe(expected);
        expect(isBare(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(expected);
      }),
    );
  });
});

describe('saved files with bare LF', () => {
  it.each([
    ['A: b\n\nbody\n', 'A: b\r\n\r\nbody\r\n', true],
    ['A: b\n\nbody', 'A: b\r\n\r\nbody', true],
    ['\n', '\r\n', true],
    ['\n\n\n', '\r\n\r\n\r\n', true],
    ['A: b\r\n\r\nbody\n', 'A: b\r\n\r\nbody\n', false],
    ['A: b\n\nbody\r\n', 'A: b\n\nbody\r\n', false],
    ['A: b\n\nbody\r', 'A: b\n\nbody\r', false],
    ['A: b', 'A: b', false],
    ['', '', false],
  ])('%j is read as %j', (raw, expected, normalized) => {
    const result = normalizeLineEnds(bytesOf(raw));
    expect(Buffer.from(result.raw).toString('latin1')).toBe(expected);
    expect(result.normalized).toBe(normalized);
  });

  it('are what a replacement of every LF gives, and nothing else changes', () => {
    fc.assert(
      fc.property(text, (message) => {
        const result = normalizeLineEnds(bytesOf(message));
        const saved = message.includes('\n') && !message.includes('\r');
        expect(result.normalized).toBe(saved);
        const expected = saved ? message.replaceAll('\n', '\r\n') : message;
        expect(Buffer.from(result.raw).toString('latin1')).toBe(expected);
      }),
    );
  });
});
