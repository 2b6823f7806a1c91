import { compactBase64, findTags } from '@zegel/canonicalization';

/** One tag: its value with folding white space at both ends removed, and where the raw value stands in the text. */
export interface Tag {
  readonly value: string;
  /** Offset behind the `=`. */
  readonly start: number;
  /** Offset of the `;` or the end of the text. */
  readonly end: number;
}

/** The tags of a list by name, in the order they stand. */
export interface Tags extends Iterable<readonly [name: string, tag: Tag]> {
  get(name: string): Tag | undefined;
  has(name: string): boolean;
}

export type TagList =
  | { readonly ok: true; readonly tags: Tags }
  | { readonly ok: false; readonly reason: 'syntax' | 'repeated-tag'; readonly tag?: string };

/**
 * Reads a tag list (RFC 6376 §3.2) from text with one character per byte. Tag names keep their case, a repeated tag
 * invalidates the list, an empty value is not a missing tag. Octets above US-ASCII are let through: RFC 8616 allows them
 * in some values, whose own readers decide.
 */
export function parseTagList(text: string): TagList {
  const places = findTags(text);
  if (places === null) return plainTagList(text);
  const { offsets, length, base } = places;
  const place = (at: number): number => (offsets[at] ?? 0) - base;
  const tags = new TagsByName();
  for (let at = 0; at < length; at += 6) {
    const name = tagName(text, place(at), place(at + 1));
    const value = text.slice(place(at + 2), place(at + 3));
    if (!tags.add(name, { value, start: place(at + 4), end: place(at + 5) })) {
      return { ok: false, reason: 'repeated-tag', tag: name };
    }
  }
  return { ok: true, tags };
}

/**
 * A dozen names are found sooner one after the other than in a `Map`, which grows twice until it holds them. A list of a sender
 * who has more tags in mind gets one.
 */
class TagsByName implements Tags {
  readonly #names: string[] = [];
  readonly #tags: Tag[] = [];
  #others: Map<string, Tag> | null = null;

  /** False when there is one of this name. */
  add(name: string, tag: Tag): boolean {
    if (this.has(name)) return false;
    if (this.#names.length < maxListed) {
      this.#names.push(name);
      this.#tags.push(tag);
    } else {
      this.#others ??= new Map();
      this.#others.set(name, tag);
    }
    return true;
  }

  get(name: string): Tag | undefined {
    const names = this.#names;
    for (let at = 0; at < names.length; at++) if (names[at] === name) return this.#tags[at];
    return this.#others?.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *[Symbol.iterator](): Generator<readonly [string, Tag]> {
    for (const name of [...this.#names, ...(this.#others?.keys() ?? [])]) {
      const tag = this.get(name);
      if (tag !== undefined) yield [name, tag];
    }
  }
}

const maxListed = 32;

/**
 * A part of a text as the very string that a literal is, where it is the name of a known tag: comparing them is
 * comparing two addresses.
 */
function tagName(text: string, from: number, to: number): string {
  if (to - from === 1) return text.charAt(from);
  const name = text.slice(from, to);
  return longNames.get(name) ?? name;
}

const longNames = new Map(['bh', 'cv'].map((name) => [name, name]));

/** The same without the kernel: any list, what it is tested against, and what says why a text is none. */
export function plainTagList(text: string): TagList {
  const tags = new TagsByName();
  let from = 0;
  while (from <= text.length) {
    const semicolon = text.indexOf(';', from);
    const end = semicolon === -1 ? text.length : semicolon;
    const equals = text.indexOf('=', from);
    if (equals === -1 || equals > end) {
      // Only what follows the last semicolon may be empty.
      if (semicolon === -1 && from > 0 && stripFws(text.slice(from)) === '') break;
      return { ok: false, reason: 'syntax' };
    }
    const name = stripFws(text.slice(from, equals));
    const value = stripFws(text.slice(equals + 1, end));
    if (name === null || value === null || !nameSyntax.test(name) || !valueSyntax.test(value)) {
      return { ok: false, reason: 'syntax', ...(name !== null && nameSyntax.test(name) ? { tag: name } : {}) };
    }
    if (!tags.add(name, { value, start: equals + 1, end })) return { ok: false, reason: 'repeated-tag', tag: name };
    if (semicolon === -1) break;
    from = semicolon + 1;
  }
  return { ok: true, tags };
}

const nameSyntax = /^[A-Za-z][A-Za-z0-9_]*$/;
/** VALCHAR, folding white space between, and octets above US-ASCII. */
const valueSyntax = /^[\x21-\x3a\x3c-\x7e\x80-\xff \t\r\n]*$/;

/**
 * A part of a text without folding white space at both ends; null when a CR or LF in it is not part of a fold (RFC 5322
 * §3.2.2). The CRLF that ends a field counts as a fold.
 */
function stripFws(text: string): string | null {
  return hasOnlyFolds(text) ? trimFws(text) : null;
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
  let start = 0;
  let end = text.length;
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

/** Base64 (RFC 4648 §4) without the folding white space in it; null for a text that is none. */
export function base64Text(value: string): string | null {
  // A body hash stands in one piece, and is too short to be worth a way to the kernel and back.
  if (value.length <= maxShort && base64.test(value)) return value;
  const compact = compactBase64(value);
  return compact === undefined ? plainBase64Text(value) : compact;
}

/** The same without the kernel. */
export function plainBase64Text(value: string): string | null {
  const text = withoutFws(value);
  return base64.test(text) ? text : null;
}

const maxShort = 64;

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
