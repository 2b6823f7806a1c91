/** One tag: its value with folding white space at both ends removed, and where the raw value stands in the text. */
export interface Tag {
  readonly value: string;
  /** Offset behind the `=`. */
  readonly start: number;
  /** Offset of the `;` or the end of the text. */
  readonly end: number;
}

export type TagList =
  | { readonly ok: true; readonly tags: ReadonlyMap<string, Tag> }
  | { readonly ok: false; readonly reason: 'syntax' | 'repeated-tag'; readonly tag?: string };

/**
 * Reads a tag list (RFC 6376 §3.2) from text with one character per byte. Tag names keep their case, a repeated tag
 * invalidates the list, an empty value is not a missing tag. Octets above US-ASCII are let through: RFC 8616 allows them
 * in some values, whose own readers decide.
 */
export function parseTagList(text: string): TagList {
  const tags = new Map<string, Tag>();
  const isClean = cleanText.test(text);
  let from = 0;
  while (from <= text.length) {
    const semicolon = text.indexOf(';', from);
    const end = semicolon === -1 ? text.length : semicolon;
    const equals = text.indexOf('=', from);
    if (equals === -1 || equals > end) {
      // Only what follows the last semicolon may be empty.
      if (semicolon === -1 && tags.size > 0 && stripFws(text, from, text.length, isClean) === '') break;
      return { ok: false, reason: 'syntax' };
    }
    const name = stripFws(text, from, equals, isClean);
    const value = stripFws(text, equals + 1, end, isClean);
    if (name === null || value === null || !tagName.test(name) || !(isClean || tagValue.test(value))) {
      return { ok: false, reason: 'syntax', ...(name !== null && tagName.test(name) ? { tag: name } : {}) };
    }
    const before = tags.size;
    tags.set(name, { value, start: equals + 1, end });
    if (tags.size === before) return { ok: false, reason: 'repeated-tag', tag: name };
    if (semicolon === -1) break;
    from = semicolon + 1;
  }
  return { ok: true, tags };
}

const tagName = /^[A-Za-z][A-Za-z0-9_]*$/;
/** VALCHAR, folding white space between, and octets above US-ASCII. */
const tagValue = /^[\x21-\x3a\x3c-\x7e\x80-\xff \t\r\n]*$/;
/** A list in which no control character stands and every CR and LF is part of a fold: its pieces need not be looked at for them. */
const cleanText = /^[\x20-\x7e\x80-\xff\t]*(?:\r\n(?=[ \t]|$)[\x20-\x7e\x80-\xff\t]*)*$/;

/**
 * A part of a text without folding white space at both ends; null when a CR or LF in it is not part of a fold (RFC 5322
 * §3.2.2). The CRLF that ends a field counts as a fold.
 */
function stripFws(text: string, from: number, to: number, isClean: boolean): string | null {
  return isClean || hasOnlyFolds(text.slice(from, to)) ? trimmed(text, from, to) : null;
}

function hasOnlyFolds(text: string): boolean {
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 1)) {
    const next = text.charAt(at + 2);
    if (text.charAt(at + 1) !== '\n' || (next !== '' && next !== ' ' && next !== '\t')) return false;
  }
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (text.charAt(at - 1) !== '\r') return false;
  }
  return true;
}

/** Text without folding white space at both ends. */
export function trimFws(text: string): string {
  return trimmed(text, 0, text.length);
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isFws(text.charCodeAt(start))) start++;
  while (end > start && isFws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isFws(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** A value without any folding white space in it: base64, and lists whose separators it may stand around. */
export function withoutFws(value: string): string {
  return foldingWhiteSpace.test(value) ? value.replaceAll(/[ \t\r\n]+/g, '') : value;
}

/** Folding white space anywhere in a text. */
export const foldingWhiteSpace = /[ \t\r\n]/;

/** Octets as UTF-8 text; null when they are not UTF-8. */
export function utf8(latin1: string): string | null {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  try {
    return strictUtf8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return null;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether a text {@link withoutFws} is base64 (RFC 4648 §4). */
export function isBase64(text: string): boolean {
  return base64.test(text);
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The octets of a text that {@link isBase64}; null for every other. */
export function decodeBase64(text: string): Buffer | null {
  const octets = Buffer.from(text, 'base64');
  // Most comes out again as it went in, which is seen sooner than the form.
  const isCanonical = octets.length > 0 && octets.toString('base64') === text;
  return isCanonical || isBase64(text) ? octets : null;
}
