/**
 * The header of a message (RFC 5322 §2.2, RFC 6532): one block of bytes and where each field stands in it.
 *
 * Fields are offsets, not strings: nothing is decoded until somebody asks for it, and what was received stays
 * byte for byte what it was.
 */

import { findHeaderFields, holdsBareLineEnd } from '@zegel/canonicalization';
import { fieldName } from './field-names.ts';
import { nextLineFeed } from './line-feed.ts';
import { asBuffer } from './octets.ts';

/** One header field: offsets into {@link Header.bytes}. */
export interface HeaderField {
  /** Field name in lower case; empty when the line is no header field (no colon, or not a field name). */
  readonly name: string;
  /** Offset of the first byte of the field. */
  readonly start: number;
  /** Offset of the colon; the value begins one further. Equal to `start` when `name` is empty. */
  readonly colon: number;
  /** Offset behind the field's final CRLF (or behind its last byte, when a message ends inside it). */
  readonly end: number;
}

/** A parsed header block. `bytes` ends before the empty line that separates header and body. */
export interface Header {
  readonly bytes: Uint8Array;
  /**
   * In the order they stand in the message, top first. At most the first 200,000: a header with more is above any limit
   * (see `exceededLimit`), and what has to see the rest all the same asks {@link everyField}.
   */
  readonly fields: readonly HeaderField[];
  /** Whether a CR or LF stands alone in it, when that was seen on the way. Ask through {@link hasBareLineEnds}. */
  readonly bareLineEnds?: boolean;
}

/**
 * Fields listed for one header. A field of four octets takes a hundred in a list, so that the fields of a message of
 * 50 MiB would take more than a gigabyte.
 */
const maxListedFields = 200_000;

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SP = 0x20;
const HTAB = 0x09;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Finds the fields of a header block, the first 200,000 of them. Only CRLF ends a line; a lone CR or LF is part of a
 * value. Lines that begin with a space or tab continue the field above. Never fails: a line that is no field is kept
 * with an empty name.
 *
 * Time and memory are linear in `bytes`.
 */
export function parseHeader(bytes: Uint8Array): Header {
  return headerByKernel(bytes) ?? { bytes, fields: plainFields(bytes) };
}

/** The header as the vectorized search finds it; null for one that is too much for it. */
function headerByKernel(bytes: Uint8Array): Header | null {
  const places = findHeaderFields(bytes);
  if (places === null) return null;
  const buffer = asBuffer(bytes);
  const { offsets, length, base, bareLineEnds } = places;
  const fields: HeaderField[] = [];
  let start = 0;
  for (let at = 0; at < length; at += 3) {
    const end = (offsets[at] ?? 0) - base;
    const nameEnd = (offsets[at + 1] ?? 0) - base;
    const name = nameEnd === start ? '' : fieldName(buffer, start, nameEnd);
    fields.push({ name, start, colon: (offsets[at + 2] ?? 0) - base, end });
    start = end;
  }
  return { bytes, fields, bareLineEnds };
}

/** The same without it: any header, and what the search is tested against. */
export function plainFields(bytes: Uint8Array): readonly HeaderField[] {
  const buffer = asBuffer(bytes);
  const fields: HeaderField[] = [];
  for (let start = 0; start < buffer.length && fields.length < maxListedFields;) {
    const end = endOfField(buffer, start);
    fields.push(readField(buffer, start, end));
    start = end;
  }
  return fields;
}

/** Whether `fields` are all that there are. */
export function listsEveryField({ bytes, fields }: Header): boolean {
  return (fields.at(-1)?.end ?? 0) === bytes.length;
}

/** Every field, top first. Those beyond the list are found one at a time: memory does not grow with their number. */
export function everyField(header: Header): Iterable<HeaderField> {
  return listsEveryField(header) ? header.fields : listedAndOthers(header);
}

function* listedAndOthers({ bytes, fields }: Header): Generator<HeaderField, void> {
  yield* fields;
  const buffer = asBuffer(bytes);
  for (let start = fields.at(-1)?.end ?? 0; start < buffer.length;) {
    const end = endOfField(buffer, start);
    yield readField(buffer, start, end);
    start = end;
  }
}

/** Offset behind the CRLF that ends the field at `start`: the first CRLF that no space or tab follows. */
function endOfField(bytes: Buffer, start: number): number {
  let from = start;
  for (;;) {
    const lf = nextLineFeed(bytes, from);
    if (lf === -1) return bytes.length;
    from = lf + 1;
    if (lf === start || bytes[lf - 1] !== CR) continue;
    const next = bytes[from];
    if (next !== SP && next !== HTAB) return from;
  }
}

/** RFC 5322 §3.6.8: a name is printable US-ASCII without colon. §4.5 lets white space stand before the colon. */
function readField(bytes: Buffer, start: number, end: number): HeaderField {
  let nameEnd = start;
  while (nameEnd < end) {
    const byte = bytes[nameEnd] ?? 0;
    if (byte <= SP || byte >= 0x7f || byte === COLON) break;
    nameEnd++;
  }
  let colon = nameEnd;
  while (colon < end && (bytes[colon] === SP || bytes[colon] === HTAB)) colon++;
  if (nameEnd === start || colon >= end || bytes[colon] !== COLON) return { name: '', start, colon: start, end };
  return { name: fieldName(bytes, start, nameEnd), start, colon, end };
}

/** Whether a CR without LF behind it, or an LF without CR before it, stands in a header (RFC 5321 §2.3.8). */
export function hasBareLineEnds({ bytes, bareLineEnds }: Header): boolean {
  return bareLineEnds ?? holdsBareLineEnd(bytes);
}

/** Whether a header ends in the middle of a line. */
export function isCutOff({ bytes }: Header): boolean {
  // at() of octets goes through the engine's runtime.
  return bytes[bytes.length - 1] !== LF || bytes[bytes.length - 2] !== CR;
}

/** All bytes of a field, name and final CRLF included: a view, not a copy. */
export function fieldBytes(header: Header, field: HeaderField): Uint8Array {
  return header.bytes.subarray(field.start, field.end);
}

/**
 * The value of a field as text: behind the colon, unfolded (RFC 5322 §2.2.3: the CRLF goes, the white space stays),
 * white space at both ends removed, decoded as UTF-8 (RFC 6532) with U+FFFD for what is not.
 */
export function fieldValue(header: Header, field: HeaderField): string {
  const text = decoded(asBuffer(header.bytes), field.name === '' ? field.start : field.colon + 1, field.end);
  const ended = text.endsWith('\r\n') ? text.slice(0, -2) : text;
  const unfolded = ended.includes('\n') ? ended.replaceAll(/\r\n(?=[ \t])/g, '') : ended;
  let start = 0;
  let end = unfolded.length;
  while (start < end && isBlank(unfolded.charCodeAt(start))) start++;
  while (end > start && isBlank(unfolded.charCodeAt(end - 1))) end--;
  return unfolded.slice(start, end);
}

/** Octets as text. Most are US-ASCII, which needs no decoder of UTF-8. */
function decoded(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('latin1', start, end);
  return ascii.test(text) ? text : decoder.decode(bytes.subarray(start, end));
}

const ascii = /^[\0-\x7f]*$/;

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/** The fields of one name (any case), top first. */
export function fieldsNamed(header: Header, name: string): readonly HeaderField[] {
  const key = name.toLowerCase();
  const named: HeaderField[] = [];
  for (const field of everyField(header)) if (field.name === key) named.push(field);
  return named;
}

/**
 * A header from name and value pairs, as the milter protocol hands them over. A value is what follows the colon,
 * leading white space included (`SMFIP_HDR_LEADSPC`), folds as LF or CRLF, without the line end of the last line.
 *
 * Each pair is one field, whatever it holds: edits count fields, and must count them as the MTA does. A line end in a
 * value that no white space follows is no fold, and stays as it is.
 */
export function headerFromPairs(pairs: readonly (readonly [name: Uint8Array, value: Uint8Array])[]): Header {
  let room = 0;
  // Every octet of a value may be a fold that gets its CR.
  for (const [name, value] of pairs) room += name.length + 2 * value.length + 3;
  const bytes = Buffer.allocUnsafe(room);
  const fields: HeaderField[] = [];
  let length = 0;
  for (const [name, value] of pairs) {
    const start = length;
    bytes.set(name, length);
    length += name.length;
    bytes[length++] = COLON;
    length = writeWithCrlfFolds(value, bytes, length);
    bytes[length++] = CR;
    bytes[length++] = LF;
    fields.push(readField(bytes, start, length));
  }
  return { bytes: bytes.subarray(0, length), fields };
}

/** Writes a value with its folds as CRLF, white space behind them as it was. Answers where it ends. */
function writeWithCrlfFolds(value: Uint8Array, out: Uint8Array, start: number): number {
  let length = start;
  let from = 0;
  for (let at = nextLineFeed(value, 0); at !== -1; at = nextLineFeed(value, at + 1)) {
    if (value[at - 1] === CR || !isBlank(value[at + 1] ?? 0)) continue;
    out.set(value.subarray(from, at), length);
    length += at - from;
    out[length++] = CR;
    from = at;
  }
  out.set(from === 0 ? value : value.subarray(from), length);
  return length + value.length - from;
}
