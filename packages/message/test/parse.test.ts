import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageScanner, parseMessage } from '../src/index.ts';
import type { Header } from '../src/index.ts';

interface Split {
  readonly header: string;
  readonly fields: Header['fields'];
  readonly body: string;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function split(text: string): Split {
  const { header, body } = parseMessage(Buffer.from(text, 'latin1'));
  return { header: latin1(header.bytes), fields: header.fields, body: latin1(body) };
}

function scan(chunks: readonly Uint8Array[]): Split {
  const scanner = new MessageScanner();
  const body = Buffer.concat(chunks.map((chunk) => scanner.push(chunk)));
  const header = scanner.end();
  return { header: latin1(header.bytes), fields: header.fields, body: latin1(body) };
}

describe('RFC 5322 §2.1 header and body', () => {
  it.each([
    ['A: b\r\n\r\nbody', 'A: b\r\n', 'body'],
    ['A: b\r\n\r\n', 'A: b\r\n', ''],
    ['A: b\r\n', 'A: b\r\n', ''],
    ['A: b', 'A: b', ''],
    ['A: b\r\n\r', 'A: b\r\n\r', ''],
    ['\r\nbody', '', 'body'],
    ['\r\n\r\nbody', '', '\r\nbody'],
    ['', '', ''],
    ['\r', '\r', ''],
    ['A: b\r\n \r\n\r\nbody', 'A: b\r\n \r\n', 'body'],
    ['A: b\n\nbody', 'A: b\n\nbody', ''],
    ['A: b\r\n\n\r\nbody', 'A: b\r\n\n\r\nbody', ''],
    ['A: b\r\r\n\r\nbody', 'A: b\r\r\n', 'body'],
  ])('%j splits at the first empty line', (text, header, body) => {
    expect(split(text)).toMatchObject({ header, body });
    expect(scan([Buffer.from(text, 'latin1')])).toEqual(split(text));
  });

  it('hands out views, not copies', () => {
    const raw = Buffer.from('A: b\r\n\r\nbody');
    expect(parseMessage(raw).body.buffer).toBe(raw.buffer);
    const scanner = new MessageScanner();
    expect(scanner.push(raw).buffer).toBe(raw.buffer);
  });
});

describe('MessageScanner', () => {
  const message = fc
    .array(fc.constantFrom('\r\n', '\r', '\n', ' ', 'a', 'A: b\r\n', '\r\n\r\n', 'é'), { maxLength: 30 })
    .map((parts) => parts.join(''));

  it('finds what parseMessage finds, wherever the chunk borders fall', () => {
    fc.assert(
      fc.property(message, fc.array(fc.nat(60)), (text, borders) => {
        const bytes = Buffer.from(text, 'latin1');
        const cuts = [...borders.map((at) => Math.min(at, bytes.length)), 0, bytes.length].toSorted((a, b) => a - b);
        const chunks = cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut));
        expect(scan(chunks)).toEqual(split(text));
        expect(scan(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(split(text));
      }),
    );
  });

  it('knows the header as soon as the empty line is there', () => {
    const scanner = new MessageScanner();
    for (const char of 'A: b\r\n\r') scanner.push(Buffer.from(char));
    expect(scanner.header).toBeUndefined();
    scanner.push(Buffer.from('\n'));
    expect(scanner.header?.fields).toHaveLength(1);
  });

  it('finds a header that is larger than what it takes at a time, and gathers no body with it', () => {
    for (const size of [65_530, 65_535, 65_536, 65_537, 200_000]) {
      const header = `A: ${'x'.repeat(size)}\r\n`;
      const raw = Buffer.from(`${header}\r\n${'body'.repeat(100_000)}`);
      const scanner = new MessageScanner();
      expect(scanner.push(raw)).toEqual(raw.subarray(header.length + 2));
      expect(scanner.header?.bytes).toHaveLength(header.length);
      expect(scanner.header?.bytes.buffer.byteLength).toBeLessThan(2 * size + 70_000);
    }
  });
});
