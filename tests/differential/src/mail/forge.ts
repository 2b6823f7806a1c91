/**
 * A signer that will sign anything: whatever the tags say and however they are written, the hashes fit. It shares no code with
 * the packages under test, so it is a third opinion on canonicalization and on which fields are meant.
 */
import { createHash, sign } from 'node:crypto';
import type { TestKey } from './keys.ts';

/** A message cut in two behind the empty line; one character is one byte. */
export interface CutMessage {
  /** Each with its final CRLF. */
  readonly fields: readonly string[];
  readonly body: string;
}

/** What is computed with; what the tags claim is the caller's affair. */
export interface Canonicalization {
  readonly header: 'simple' | 'relaxed';
  readonly body: 'simple' | 'relaxed';
}

/** Cuts a message at its first empty line. Only CRLF ends a line. */
export function cutMessage(raw: Uint8Array): CutMessage {
  const text = Buffer.from(raw).toString('latin1');
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
  const header = end === 1 ? text : text.slice(0, end);
  return {
    fields: header.match(/(?:[^\r]|\r(?!\n)|\r\n[ \t])+(?:\r\n)?/gu) ?? [],
    body: end === 1 ? '' : text.slice(end + 2),
  };
}

/** RFC 6376 §3.4.3 and §3.4.4. */
export function canonicalBody(body: string, kind: 'simple' | 'relaxed'): string {
  const lines = body.split('\r\n');
  const reduced = kind === 'simple' ? lines : lines.map((line) => line.replaceAll(/[ \t]+/gu, ' ').replace(/ $/u, ''));
  while (reduced.at(-1) === '') reduced.pop();
  if (reduced.length === 0) return kind === 'simple' ? '\r\n' : '';
  return `${reduced.join('\r\n')}\r\n`;
}

export function bodyHash(canonical: string): string {
  return createHash('sha256').update(canonical, 'latin1').digest('base64');
}

/** RFC 6376 §3.4.1 and §3.4.2. */
function canonicalField(field: string, kind: 'simple' | 'relaxed'): string {
  if (kind === 'simple') return field;
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    .replaceAll(/[ \t]+/gu, ' ')
    .replaceAll(/^ | $/gu, '');
  return `${field
    .slice(0, colon)
    .replace(/[ \t]+$/u, '')
    .toLowerCase()}:${value}\r\n`;
}

/**
 * The value of b= for a DKIM-Signature field, given up to its b= value and behind it: the field that will be
 * `before` + value + `after`, without white space around the value, and without its final CRLF.
 */
export function signatureFor(
  message: CutMessage,
  names: readonly string[],
  kind: 'simple' | 'relaxed',
  before: string,
  after: string,
  key: TestKey,
): string {
  const stacks = new Map<string, string[]>();
  for (const field of message.fields) {
    const name = field
      .slice(0, Math.max(0, field.indexOf(':')))
      .replace(/[ \t]+$/u, '')
      .toLowerCase();
    const stack = stacks.get(name) ?? [];
    stacks.set(name, stack);
    stack.push(field);
  }
  const signed = names.map((name) => stacks.get(name)?.pop()).filter((field) => field !== undefined);
  const own = canonicalField(`${before}${after}\r\n`, kind).slice(0, -2);
  const data = Buffer.from([...signed.map((field) => canonicalField(field, kind)), own].join(''), 'latin1');
  const signature =
    key.algorithm === 'rsa-sha256'
      ? sign('sha256', data, key.privateKey)
      : sign(null, createHash('sha256').update(data).digest(), key.privateKey);
  return signature.toString('base64');
}
