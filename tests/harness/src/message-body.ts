import type { SeededRandom } from './random.ts';

export const bodyShapes = [
  'plain-text',
  'no-body',
  'empty-body',
  'trailing-blank-lines',
  'only-blank-lines',
  'white-space-lines',
  'only-white-space-lines',
  'white-space-runs',
  'no-final-crlf',
  'white-space-at-the-very-end',
  'long-body-lines',
  '8-bit-body',
  'control-bytes',
  'utf-8-body',
  'dots',
  'header-like-body',
  'large-body',
] as const;

/**
 * What the body is like. `no-body`: the message ends with its last header field, without the empty line; `empty-body`:
 * it ends with the empty line; `white-space-*`: SP and HTAB where RFC 6376 §3.4.3 and §3.4.4 say something about them.
 */
export type BodyShape = (typeof bodyShapes)[number];

const largeBodySize = 1024 * 1024;

/** The bytes after the empty line, lines ending in CRLF; undefined when there is no empty line either. */
export function bodyOf(shape: BodyShape, random: SeededRandom): Buffer | undefined {
  const wsp = () => Buffer.from(whiteSpace(random, random.between(1, 6)));
  const crlf = Buffer.from('\r\n');
  const blankLines = () => Buffer.from('\r\n'.repeat(random.between(1, 9)));
  const lines = (count: number, line: () => Uint8Array) =>
    Buffer.concat(Array.from({ length: count }, () => Buffer.concat([line(), crlf])));
  const text = () => lines(random.between(1, 12), () => textLine(random));
  /** Any byte from `low` but the two that make a line end. */
  const anyBytes = (low: number) =>
    lines(random.between(1, 20), () =>
      random.bytes(random.between(0, 200), low).filter((byte) => byte !== 0x0d && byte !== 0x0a),
    );

  switch (shape) {
    case 'plain-text':
      return text();
    case 'no-body':
      return undefined;
    case 'empty-body':
      return Buffer.alloc(0);
    case 'trailing-blank-lines':
      return Buffer.concat([text(), blankLines()]);
    case 'only-blank-lines':
      return blankLines();
    case 'white-space-lines':
      return Buffer.concat([text(), lines(2, wsp), text(), lines(random.between(1, 4), wsp), blankLines()]);
    case 'only-white-space-lines':
      return Buffer.concat([lines(random.between(1, 5), wsp), random.chance(2) ? blankLines() : wsp()]);
    case 'white-space-runs':
      return lines(random.between(3, 30), () =>
        Buffer.concat([random.chance(2) ? wsp() : Buffer.alloc(0), textLine(random), wsp(), textLine(random), wsp()]),
      );
    case 'no-final-crlf':
      return Buffer.concat([text(), textLine(random)]);
    case 'white-space-at-the-very-end':
      return Buffer.concat([text(), random.chance(2) ? textLine(random) : Buffer.alloc(0), wsp()]);
    case 'long-body-lines':
      return lines(3, () => {
        const words = Array.from({ length: random.between(100, 700) }, () => word(random));
        return Buffer.from(random.chance(3) ? words.join('') : words.join(whiteSpace(random, random.between(1, 3))));
      });
    case '8-bit-body':
      return anyBytes(0x20);
    case 'control-bytes':
      return anyBytes(0x01);
    case 'utf-8-body':
      return lines(random.between(1, 10), () =>
        Buffer.from(
          random.pick([
            'Grüße aus Köln',
            '署名 は 正しい',
            '🔏  \tzegel',
            '\u00a0\u2003\u2028 spaces of Unicode \u3000',
          ]),
        ),
      );
    case 'dots':
      return Buffer.from('.\r\n..\r\n.leading dot\r\n\r\n.\r\n');
    case 'header-like-body':
      return Buffer.from('From: somebody@else.example\r\n folded\r\nDKIM-Signature: v=1; a=rsa-sha256\r\n\r\nDone\r\n');
    case 'large-body': {
      const paragraph = lines(64, () => textLine(random));
      const repeated = Buffer.alloc(largeBodySize, paragraph);
      // The cut may fall anywhere, so the last line is made a line again.
      const end = repeated.lastIndexOf('\n') + 1;
      return repeated.subarray(0, end);
    }
  }
}

/** SP and HTAB, mixed: the only white space mail knows. */
export function whiteSpace(random: SeededRandom, length: number): string {
  return Array.from({ length }, () => random.pick([' ', '\t'])).join('');
}

export function word(random: SeededRandom): string {
  return random.bytes(random.between(1, 12), 0x61, 0x7a).toString('latin1');
}

function textLine(random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: random.between(1, 11) }, () => word(random)).join(' '));
}
