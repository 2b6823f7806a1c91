import { applyEdits, parseHeader } from '@zegel/message';
import { describe, expect, it } from 'vitest';
import { findBimiFields } from '../src/index.ts';

describe('fields that only the receiving side may write', () => {
  it('are found in any case, with or without a space before the colon, however many', () => {
    const header = parseHeader(
      Buffer.from(
        'BIMI-Location: v=BIMI1; l=https://evil.example/a.svg\r\n' +
          'From: a@example.com\r\n' +
          'bimi-indicator: PHN2\r\n Zy8+\r\n' +
          'BIMI-Selector: v=BIMI1; s=brand\r\n' +
          'Bimi-Location : v=BIMI1; l=https://evil.example/b.svg\r\n' +
          'BIMI-Logo-Preference: personal\r\n',
      ),
    );
    const remove = findBimiFields(header);
    expect(remove).toHaveLength(4);
    const left = Buffer.from(applyEdits(header, { remove, prepend: [] })).toString();
    expect(left).toBe('From: a@example.com\r\nBIMI-Selector: v=BIMI1; s=brand\r\n');
  });

  it('are not there in most mail', () => {
    expect(findBimiFields(parseHeader(Buffer.from('From: a@example.com\r\nBIMI-Selector: v=BIMI1; s=a\r\n')))).toEqual(
      [],
    );
  });
});
