import { isUtf8 } from 'node:buffer';
import { domainToUnicode } from 'node:url';
import { asBuffer, everyField, hasBareLineEnds, holdsBareLineEnd, normalizeDomain } from '@zegel/message';
import type { Header, HeaderEdits, HeaderField } from '@zegel/message';
import { authResultsLimits, maxIdentifierOctets } from './limits.ts';
import { peek, scan, skipCfws, takeRun } from './tokens.ts';

const fieldName = 'authentication-results';

/** White space and folds; a bare CR or LF is neither. */
const blanks = /(?:[ \t]|\r\n(?=[ \t]))+/y;
/** A comment that ends at the same place for every reader: nothing in it is nested, escaped or quoted. */
const plainComment = /\((?:[ \t!#-'*-[\]-~\u0080-\u00ff]|\r\n(?=[ \t]))*\)/y;
/** A quoted string without white space. */
const quotedId = /"(?:[!#-[\]-~\u0080-\u00ff]|\\[!-~])*"/y;
/** A token; and, as some write it, UTF-8 without quotes. */
const bareId = /[!#-'*+\-.0-9A-Z^-~\u0080-\u00ff]+/y;
const versionOne = /0*1(?![0-9])/y;
/** Letters and digits of any script, ".", "-" and "_". */
const nameShaped = /^[\p{L}\p{M}\p{N}._-]+$/u;
/**
 * A line that a careless reader takes for one of our fields, and its beginning inside another field. The look back comes
 * behind the name, so that it is made once for each: before it, it would be made at every place, and cost the square.
 */
const looseName = /^[^!-~]*authentication-results[^!-~]*:/i;
const innerName = /authentication-results(?<=[\r\n][^!-~]*authentication-results)[^!-~]*:/gi;
/** A line end, of whatever kind, that no white space follows. */
const looseLineEnd = /(?:\r?\n|\r(?!\n))(?![ \t])/g;

/**
 * The Authentication-Results fields that a border must take out before it adds its own (RFC 8601 §5): those that
 * claim to be ours, and those of which that is in doubt.
 *
 * Only the authserv-id and the version are looked at, within the first 4,096 octets; cost does not depend on what
 * follows, and no limit on size or count lets a field slip through. A field stays only if all of this holds:
 *
 * - before the id there is nothing but white space, folds and comments without nesting, quotes or backslashes;
 * - the id is a token or a quoted string, is UTF-8, and is shaped as a name: letters, digits, ".", "-" and "_". Escapes
 *   (`=?utf-8?q?…?=`, `%41`), blanks, controls, invisible characters, `id/1` and the word `none` are doubtful;
 * - behind the id stands nothing but CFWS and perhaps version 1, then ";" or the end of the field. A field that begins
 *   with a result (no id, as Outlook writes it) or has another version is removed;
 * - the id is none of `authservIds`: compared without case, without final dots, as A-labels.
 *
 * The same test is put to what only a careless reader takes for a field: a line inside *any* field that begins behind a
 * bare CR or LF, and a line that is no field; both also with blanks, controls or 8-bit octets around the name. The field
 * (or line, with the empty name that {@link Header} gives it) that holds it is removed as a whole.
 *
 * @returns entries for `remove` of HeaderEdits, top down, counted as received.
 */
export function findForged(header: Header, authservIds: readonly string[]): HeaderEdits['remove'] {
  const bytes = asBuffer(header.bytes);
  const isBare = hasBareLineEnds(header);
  let ours: ReadonlySet<string> | undefined;
  /** Where they begin: fields beyond the list are made anew each time they are looked at. */
  let forged: Set<number> | undefined;
  for (const field of everyField(header)) {
    if (field.name !== fieldName && field.name !== '' && !isBare) continue;
    ours ??= new Set(authservIds.flatMap(comparableNames));
    if (isForged(bytes, field, ours, isBare)) forged = (forged ?? new Set()).add(field.start);
  }
  return forged === undefined ? [] : countAll(header, forged);
}

/** The fields of a header that begin at these offsets, each by its place among those of its name. */
function countAll(header: Header, starts: ReadonlySet<number>): HeaderEdits['remove'] {
  const counted: { name: string; occurrence: number }[] = [];
  const seen = new Map<string, number>();
  for (const field of everyField(header)) {
    const occurrence = (seen.get(field.name) ?? 0) + 1;
    seen.set(field.name, occurrence);
    if (starts.has(field.start)) counted.push({ name: field.name, occurrence });
  }
  return counted;
}

function isForged(bytes: Buffer, field: HeaderField, ours: ReadonlySet<string>, isBare: boolean): boolean {
  if (field.name === fieldName && claimsOurs(valueOf(bytes, field), ours)) return true;
  const all = bytes.subarray(field.start, field.end);
  if (field.name === '' && isForgedLine(all.toString('latin1'), ours)) return true;
  return isBare && holdsBareLineEnd(all) && smugglesLine(all.toString('latin1'), ours);
}

/** As much of a value as is looked at, one octet a character, and whether that is all of it. */
interface Value {
  readonly text: string;
  readonly complete: boolean;
}

function valueOf(bytes: Buffer, field: HeaderField): Value {
  const start = field.colon + 1;
  const end = Math.min(field.end, start + maxIdentifierOctets);
  return beginningOf(bytes.toString('latin1', start, end), end === field.end);
}

/** As much of a value as is looked at; `complete` tells whether `text` is all of it. */
function beginningOf(text: string, complete: boolean): Value {
  if (text.length > maxIdentifierOctets) return { text: text.slice(0, maxIdentifierOctets), complete: false };
  return { text: complete && text.endsWith('\r\n') ? text.slice(0, -2) : text, complete };
}

/** Whether a value claims one of our ids, or may. */
function claimsOurs(value: Value, ours: ReadonlySet<string>): boolean {
  const id = readIdentifier(value);
  const names = id === undefined ? [] : comparableNames(id);
  return names.length === 0 || names.some((name) => ours.has(name));
}

/** The authserv-id of a value, or undefined when some reader might see another one. */
function readIdentifier({ text, complete }: Value): string | undefined {
  const scanner = scan(text, authResultsLimits.maxCommentDepth);
  while (takeRun(scanner, blanks) !== '' || takeRun(scanner, plainComment) !== '');
  const quoted = peek(scanner) === '"';
  const written = takeRun(scanner, quoted ? quotedId : bareId);
  const octets = Buffer.from(quoted ? written.slice(1, -1).replaceAll(/\\(.)/g, '$1') : written, 'latin1');
  if (octets.length === 0 || !isUtf8(octets)) return undefined;

  const gap = skipCfws(scanner);
  if (gap?.present && takeRun(scanner, versionOne) !== '') skipCfws(scanner);
  if (scanner.failure !== undefined) return undefined;
  const ended = peek(scanner) === ';' || (complete && scanner.position === text.length);
  return ended ? octets.toString('utf8') : undefined;
}

/**
 * What an id is compared as: lower case, no final dots, A-labels. Two names when two generations of IDNA read it
 * differently ("ß" is a letter of its own today and was "ss" before). None when it is not shaped as a name, or when it
 * is the word `none`, in which some see a result of a field that lacks its id.
 */
function comparableNames(id: string): string[] {
  let end = id.length;
  while (id[end - 1] === '.') end--;
  const name = id.slice(0, end);
  if (!nameShaped.test(name) || name.toLowerCase() === 'none') return [];
  const ascii = /^\p{ASCII}*$/u.test(name);
  const names = ascii ? [name.toLowerCase()] : [normalizeDomain(name), normalizeDomain(name.toUpperCase())];
  const known = names.filter((candidate) => candidate !== null);
  return known.length < names.length || known.some(hasUnknownLabel) ? [] : known;
}

/** Whether an A-label is not one that IDNA writes: careless decoders make a plain name even of some of those. */
function hasUnknownLabel(name: string): boolean {
  return name.includes('xn--') && /(?:^$|xn--)/.test(domainToUnicode(name));
}

/** Whether a line behind a bare CR or LF is a forged field to a reader who takes either for a line end. */
function smugglesLine(text: string, ours: ReadonlySet<string>): boolean {
  for (const match of text.matchAll(innerName)) {
    const start = match.index + match[0].length;
    looseLineEnd.lastIndex = start;
    const end = looseLineEnd.exec(text)?.index ?? text.length;
    const value = text.slice(start, Math.min(end, start + maxIdentifierOctets + 1));
    if (claimsOurs(beginningOf(value.replaceAll(/\r\n?|\n/g, '\r\n'), true), ours)) return true;
  }
  return false;
}

/** Whether a line names Authentication-Results, blanks, controls and 8-bit octets around it aside, and claims our id. */
function isForgedLine(line: string, ours: ReadonlySet<string>): boolean {
  const name = looseName.exec(line)?.[0];
  return name !== undefined && claimsOurs(beginningOf(line.slice(name.length), true), ours);
}
