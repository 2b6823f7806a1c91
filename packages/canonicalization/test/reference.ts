import type { Canonicalization } from '../src/index.ts';

/** RFC 6376 §3.4 as plainly as it can be said, on latin1 text. Slow, and independent of the code under test. */
export function referenceBody(canonicalization: Canonicalization, body: string): string {
  let text = body;
  if (canonicalization === 'relaxed') {
    text = text
      .split('\r\n')
      .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
      .join('\r\n');
  }
  while (text.endsWith('\r\n')) text = text.slice(0, -2);
  if (text === '') return canonicalization === 'simple' ? '\r\n' : '';
  return `${text}\r\n`;
}

export function referenceField(canonicalization: Canonicalization, field: string): string {
  const text = field.endsWith('\r\n') ? field.slice(0, -2) : field;
  if (canonicalization === 'simple') return `${text}\r\n`;
  const colon = text.indexOf(':');
  const name = text
    .slice(0, colon)
    .replace(/[ \t]+$/, '')
    .toLowerCase();
  const value = text
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${name}:${value}\r\n`;
}
