import { spfCodeResults } from './codes.ts';
import type { SpfResult } from './result.ts';

/** Columns of a line, where the field can be broken at all (RFC 5322 §2.1.1). */
const lineLength = 78;
/** Characters of one value: keeps every line within the 998 octets of RFC 5322, escapes and UTF-8 included. */
const maxValueLength = 255;

/**
 * The Received-SPF field for a result (RFC 7208 §9.1), folded, with its final CRLF: ready to stand on top of the
 * message. `receiver` is the name of the host that checked. Every value is one dot-atom or quoted-string, whatever
 * the mail or the DNS put into it: nothing in it can end the field, a value or the comment.
 *
 * Only trust such a field that your own host has written; this package does not read them.
 */
export function formatReceivedSpf(result: SpfResult, receiver: string): Uint8Array {
  const { evidence } = result;
  const pairs: (readonly [key: string, value: string | undefined])[] = [
    ['receiver', receiver],
    ['identity', result.identity],
    ['client-ip', evidence.ip],
    ['envelope-from', evidence.mailFrom],
    ['helo', evidence.helo],
    ['mechanism', evidence.matched?.term],
    ['problem', isError(result) ? result.code : undefined],
  ];
  const words = [result.result, ...comment(`${receiver}: ${result.explanation}`)];
  for (const [key, value] of pairs) {
    if (value !== undefined) words.push(`${key}=${formatValue(value)};`);
  }
  return Buffer.from(`${fold('Received-SPF:', words)}\r\n`, 'utf8');
}

function isError(result: SpfResult): boolean {
  const word = spfCodeResults[result.code];
  return word === 'temperror' || word === 'permerror';
}

const dotAtom = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;

function formatValue(text: string): string {
  const value = printable(text.slice(0, maxValueLength));
  return dotAtom.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** RFC 5322 §3.2.2; in words, between which the field may be folded. */
function comment(text: string): string[] {
  const escaped = printable(text).replaceAll(/[()\\]/g, '\\$&');
  return `(${escaped})`.split(' ').filter((word) => word !== '');
}

/** Without control characters, line separators and lone surrogates. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

function fold(name: string, words: readonly string[]): string {
  const pieces = [name];
  let column = name.length;
  for (const word of words) {
    const fits = column + 1 + word.length <= lineLength;
    pieces.push(fits ? ' ' : '\r\n ', word);
    column = fits ? column + 1 + word.length : 1 + word.length;
  }
  return pieces.join('');
}
