import { normalizeDomain } from '@zegel/message';
import { authResultsLimits, formatLimits } from './limits.ts';
import type { AuthenticationResults, MethodResult } from './results.ts';
import { collapseBlanks, isDomainName, isToken } from './tokens.ts';

/** How a field is to be written. */
export interface FormatOptions {
  /** For an SMTPUTF8 message: UTF-8 stays as it is (RFC 8616). Otherwise the field is US-ASCII. */
  readonly eai?: boolean;
}

const { maxTextOctets, maxKeywordLength, foldWidth, maxBodyOctets } = formatLimits;
const newLine = '\r\n\t';
/** The replacement that puts a backslash before what was found. */
const quotedPair = String.raw`\$&`;

/** No place in a field: controls, lone surrogates, line separators, what turns the direction of text, U+FFFD. */
const unwritable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufffd]/gu;

/**
 * Writes the body of an Authentication-Results field (RFC 8601 §2.2): what stands behind the name, the colon and one
 * space, folded, without the final CRLF. With `instance` it is the body of an ARC-Authentication-Results field.
 *
 * Whatever the value holds, the body is one that {@link parseAuthenticationResults} reads back to the same value, and
 * it cannot end the field. What cannot be written is changed, never refused:
 *
 * - a control character in an authserv-id, reason or property value (the tab excepted), a lone surrogate, a line
 *   separator, a direction override or U+FFFD becomes "?"; so does, without `eai`, what is not US-ASCII, except that
 *   the domain of an authserv-id, domain or address is written in A-labels;
 * - in a comment, a run of white space and controls becomes one space, none at the ends; an empty comment is left out;
 * - a text of more than 400 octets is cut and ends in "...";
 * - in a method, result, ptype or property name everything but letters, digits and hyphens becomes a hyphen, hyphens
 *   at the end go, an empty one is written `unknown`, a long one is cut; all are in lower case;
 * - method versions and instances that are no whole numbers in range are left out;
 * - results beyond the limits of the parser, counted from the first, are left out, and so are properties.
 *
 * Parentheses and backslashes in comments, quotes and backslashes in strings are escaped; a value is quoted unless it
 * is a token, or an address of two tokens. Lines are folded at 78 characters where the grammar has CFWS, each
 * continued with one tab; a longer word has a line of its own, below 998 octets.
 */
export function formatAuthenticationResults(value: AuthenticationResults, options: FormatOptions = {}): string {
  const eai = options.eai ?? false;
  let body = formatHead(value, eai);
  if (value.results.length === 0) return `${body}; none`;
  let octets = octetsOf(body, eai);
  let left = authResultsLimits.maxResults;
  for (const result of value.results) {
    if (left-- === 0) break;
    const text = `;${newLine}${formatResult(result, eai)}`;
    octets += octetsOf(text, eai);
    if (octets > maxBodyOctets) break;
    body += text;
  }
  return body;
}

/** Of what was written: without `eai` that is US-ASCII. */
function octetsOf(written: string, eai: boolean): number {
  return eai ? Buffer.byteLength(written) : written.length;
}

/**
 * Writes a whole field, name and final CRLF included: an entry for `prepend` of HeaderEdits. It is named
 * `ARC-Authentication-Results` when the value has an instance, `Authentication-Results` otherwise.
 */
export function formatAuthenticationResultsField(
  value: AuthenticationResults,
  options: FormatOptions = {},
): Uint8Array {
  return asField(value, formatAuthenticationResults(value, options));
}

/** The whole field around a body that {@link formatAuthenticationResults} has written for this value. */
export function asField(value: AuthenticationResults, body: string): Uint8Array {
  return Buffer.from(`${fieldName(value)}: ${body}\r\n`);
}

function fieldName(value: AuthenticationResults): string {
  return instanceOf(value) === undefined ? 'Authentication-Results' : 'ARC-Authentication-Results';
}

/** The instance, if it is one that RFC 8617 §4.2.1 knows. */
function instanceOf(value: AuthenticationResults): number | undefined {
  const { instance } = value;
  return instance !== undefined && Number.isInteger(instance) && instance >= 1 && instance <= 50 ? instance : undefined;
}

/** Instance, authserv-id and version. Never folded: a fold right behind the field name trips old readers. */
function formatHead(value: AuthenticationResults, eai: boolean): string {
  const instance = instanceOf(value);
  const { authservId } = value;
  const id = isShortToken(authservId) ? authservId : quote(writableName(authservId, eai));
  return `${instance === undefined ? '' : `i=${instance}; `}${id}${value.version === undefined ? '' : ' 1'}`;
}

/** One result, folded as a line of its own that begins behind a tab. */
function formatResult(result: MethodResult, eai: boolean): string {
  const { methodVersion } = result;
  const version =
    methodVersion !== undefined && Number.isSafeInteger(methodVersion) && methodVersion >= 0 ? `/${methodVersion}` : '';
  const words = [`${toKeyword(result.method)}${version}=${toKeyword(result.result)}`];
  if (result.comment !== undefined) words.push(...formatComment(result.comment, eai));
  if (result.reason !== undefined) words.push(`reason=${quote(writable(result.reason, eai))}`);
  let left = authResultsLimits.maxProperties;
  for (const { ptype, property, value } of result.properties) {
    if (left-- === 0) break;
    const written = isShortToken(value) ? value : quoteAddress(writableValue(value, eai));
    words.push(`${toKeyword(ptype)}.${toKeyword(property)}=${written}`);
  }
  return foldWords(words);
}

/** The words of a comment, escaped, in parentheses; none when there is nothing to say. */
function formatComment(comment: string, eai: boolean): string[] {
  const text = bound(collapseBlanks(replaceUnwritable(comment, ' ', eai)));
  return text === '' ? [] : `(${text.replaceAll(/[()\\]/g, quotedPair)})`.split(' ');
}

/** Words with one space between them, or a fold where a line would grow too long for the ";" to fit as well. */
function foldWords(words: readonly string[]): string {
  let text = '';
  let column = 1;
  for (const word of words) {
    const folds = column > 1 && column + 1 + word.length + 1 > foldWidth;
    const gap = folds ? newLine : column > 1 ? ' ' : '';
    text += gap + word;
    column = (folds ? 1 : column + gap.length) + word.length;
  }
  return text;
}

/** A Keyword as it is written, hyphens inside only. */
const writtenKeyword = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** A Keyword (RFC 5321 §4.1.1.1) made of what ought to be one. */
function toKeyword(text: string): string {
  if (text.length <= maxKeywordLength && writtenKeyword.test(text)) return text;
  const letters = text
    .slice(0, maxKeywordLength)
    .replaceAll(/[^A-Za-z0-9]/g, '-')
    .toLowerCase();
  let end = letters.length;
  while (letters[end - 1] === '-') end--;
  return end === 0 ? 'unknown' : letters.slice(0, end);
}

/** Whether a text is written as it is: most are names, words and addresses of the network. */
function isShortToken(text: string): boolean {
  return text.length <= maxTextOctets && isToken(text);
}

/** A text that can stand in a quoted string. */
function writable(text: string, eai: boolean): string {
  return bound(replaceUnwritable(text, '?', eai));
}

/** The same for an authserv-id, domain or address: its domain in A-labels where UTF-8 may not be written. */
function writableName(text: string, eai: boolean): string {
  if (eai || /^\p{ASCII}*$/u.test(text)) return writable(text, eai);
  const at = text.lastIndexOf('@') + 1;
  const ascii = normalizeDomain(text.slice(at));
  return writable(ascii === null ? text : text.slice(0, at) + ascii, eai);
}

/** The same for a property value, which is a name only if it has an "@" or a dot. */
function writableValue(text: string, eai: boolean): string {
  return /[@.]/.test(text) ? writableName(text, eai) : writable(text, eai);
}

const plainText = /^[ -~]*$/;

/** Replaces what no field may hold: controls by `control`, the rest by "?". */
function replaceUnwritable(text: string, control: '?' | ' ', eai: boolean): string {
  if (plainText.test(text)) return text;
  const clean = text.replaceAll(unwritable, (character) =>
    character === '\t' ? character : /\p{Cc}/u.test(character) ? control : '?',
  );
  return eai ? clean : clean.replaceAll(/\P{ASCII}/gu, '?');
}

/** Cuts a text at `maxTextOctets`, between characters, and marks the cut. */
function bound(text: string): string {
  // A UTF-16 unit takes three octets at most.
  if (text.length <= maxTextOctets / 3 || Buffer.byteLength(text) <= maxTextOctets) return text;
  let octets = '...'.length;
  let kept = '';
  for (const character of text) {
    octets += Buffer.byteLength(character);
    if (octets > maxTextOctets) break;
    kept += character;
  }
  return `${kept}...`;
}

/** A `value` of RFC 2045 §5.1: as it is if it is a token, quoted otherwise. */
function quote(text: string): string {
  return isToken(text) ? text : `"${text.replaceAll(/["\\]/g, quotedPair)}"`;
}

/** A `pvalue`: an address may stand unquoted too. A local part with "=" or "/" is legal but often misread: quoted. */
function quoteAddress(text: string): string {
  const at = text.lastIndexOf('@');
  if (at === -1) return quote(text);
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  const plain = /^\p{ASCII}+$/u.test(domain) && isDomainName(domain) && (local === '' || isPlainLocalPart(local));
  return plain ? text : quote(text);
}

/** A dot-atom that is a token as well. */
function isPlainLocalPart(local: string): boolean {
  return local.split('.').every((atom) => atom !== '' && isToken(atom));
}
