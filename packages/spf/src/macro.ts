/**
 * Macros (RFC 7208 §7): strings with `%{…}` in them, taken apart once when a record is read and put together for
 * each name that is asked. Expansion is bounded: a name never grows beyond what the DNS can be asked, a text never
 * beyond its limit, and neither is put together from more parts than are of use, whatever the record asks for.
 */
import { maxNameLength, truncateName, withoutFinalDot } from './domain.ts';
import { maxExpandedParts } from './limits.ts';

/** `c`, `r` and `t` are for explanation texts only. */
export type MacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'v' | 'h' | 'c' | 'r' | 't';

/** One `%{…}` (RFC 7208 §7.1 macro-expand). */
export interface Macro {
  readonly letter: MacroLetter;
  /** How many parts are kept, counted from the right, after reversal; undefined for all. */
  readonly keep: number | undefined;
  readonly reverse: boolean;
  /** Characters the value is split on, each once; empty when none was written, which means the dot. */
  readonly delimiters: string;
  /** Written in upper case: the result is URL-escaped. */
  readonly escape: boolean;
}

/** Literal text and macros, in order. `%%`, `%_` and `%-` are literal text already. */
export type MacroString = readonly (string | Macro)[];

/** What the letters stand for. Undefined: has no form that can be used, so that what needs it does not apply. */
export type MacroValues = Readonly<Partial<Record<MacroLetter, string | undefined>>>;

/** For a string without macros. */
export const noValues: MacroValues = {};

/** Why a macro string cannot be read. */
export type MacroFault = 'macro-syntax' | 'macro-unknown' | 'macro-zero' | 'macro-explanation-only';

export type MacroParse =
  | {
      readonly ok: true;
      readonly parts: MacroString;
      /** The literal text behind the last `%…`, as written; empty when the string ends in one. */
      readonly tail: string;
    }
  | { readonly ok: false; readonly fault: MacroFault };

const macroPattern = /%\{([a-z])(\d*)(r?)([-.+,/_=]*)\}/iy;
const escapes: ReadonlyMap<string, string> = new Map([
  ['%%', '%'],
  ['%_', ' '],
  ['%-', '%20'],
]);

/**
 * Takes a macro string apart (RFC 7208 §7.1). With `use` `domain`, the letters that only explanations may hold are
 * a fault. Which other characters may stand in it is for the caller. Linear in `text`.
 */
export function parseMacroString(text: string, use: 'domain' | 'text'): MacroParse {
  const parts: (string | Macro)[] = [];
  let from = 0;
  for (;;) {
    const percent = text.indexOf('%', from);
    const literal = text.slice(from, percent === -1 ? undefined : percent);
    if (literal !== '') parts.push(literal);
    if (percent === -1) return { ok: true, parts, tail: literal };
    const escaped = escapes.get(text.slice(percent, percent + 2));
    if (escaped !== undefined) {
      parts.push(escaped);
      from = percent + 2;
      continue;
    }
    macroPattern.lastIndex = percent;
    const match = macroPattern.exec(text);
    if (match === null) return { ok: false, fault: 'macro-syntax' };
    const macro = readMacro(match, use);
    if (typeof macro === 'string') return { ok: false, fault: macro };
    parts.push(macro);
    from = macroPattern.lastIndex;
  }
}

function readMacro(match: RegExpExecArray, use: 'domain' | 'text'): Macro | MacroFault {
  const [, written = '', digits = '', reverse = '', delimiters = ''] = match;
  const letter = written.toLowerCase();
  if (!isMacroLetter(letter)) return 'macro-unknown';
  if (use === 'domain' && 'crt'.includes(letter)) return 'macro-explanation-only';
  const keep = digits === '' ? undefined : Number(digits);
  if (keep === 0) return 'macro-zero';
  const distinct = [...new Set(delimiters)].join('');
  return { letter, keep, reverse: reverse !== '', delimiters: distinct, escape: written !== letter };
}

function isMacroLetter(letter: string): letter is MacroLetter {
  return letter.length === 1 && 'slodipvhcrt'.includes(letter);
}

/** Does the string hold no macro at all? */
export function isLiteral(text: MacroString): boolean {
  return text.every((part) => typeof part === 'string');
}

/** Does the string hold this macro? */
export function usesMacro(text: MacroString, letter: MacroLetter): boolean {
  return text.some((part) => typeof part !== 'string' && part.letter === letter);
}

/**
 * The domain name a macro string stands for: without the final dot, shortened from the left to 253 characters
 * (RFC 7208 §7.3). It may still be a name that cannot be asked. Undefined when a value it needs is undefined, or when it
 * takes more than {@link maxExpandedParts}.
 */
export function expandName(text: MacroString, values: MacroValues): string | undefined {
  // From the right, and no further than a name reaches: what lies left of that is dropped anyway.
  const [only] = text;
  if (text.length === 1 && typeof only === 'string') return truncateName(withoutFinalDot(only));
  const pieces: string[] = [];
  let length = 0;
  for (let i = text.length - 1; i >= 0 && length <= maxNameLength + 1; i--) {
    // Macros that come to nothing would never fill a name.
    const piece = pieces.length < maxExpandedParts ? expandPart(text[i] ?? '', values) : undefined;
    if (piece === undefined) return undefined;
    pieces.push(piece);
    length += piece.length;
  }
  return truncateName(withoutFinalDot(pieces.toReversed().join('')));
}

/**
 * The text a macro string stands for, cut at `maxLength` characters. Undefined when a value it needs is undefined, or when
 * it takes more than {@link maxExpandedParts}.
 */
export function expandText(text: MacroString, values: MacroValues, maxLength: number): string | undefined {
  const pieces: string[] = [];
  let length = 0;
  for (const part of text) {
    if (length >= maxLength) break;
    const piece = pieces.length < maxExpandedParts ? expandPart(part, values) : undefined;
    if (piece === undefined) return undefined;
    pieces.push(piece);
    length += piece.length;
  }
  return pieces.join('').slice(0, maxLength);
}

function expandPart(part: string | Macro, values: MacroValues): string | undefined {
  if (typeof part === 'string') return part;
  const value = values[part.letter];
  if (value === undefined) return undefined;
  const transformed = transform(part, value);
  return part.escape ? urlEscape(transformed) : transformed;
}

/** RFC 7208 §7.3: split, reverse, keep the right-hand parts, join with dots. */
function transform(macro: Macro, value: string): string {
  if (macro.keep === undefined && !macro.reverse && macro.delimiters === '') return value;
  let parts = split(value, macro.delimiters === '' ? '.' : macro.delimiters);
  if (macro.reverse) parts = parts.toReversed();
  if (macro.keep !== undefined) parts = parts.slice(-macro.keep);
  return parts.join('.');
}

function split(value: string, delimiters: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < value.length; i++) {
    if (!delimiters.includes(value.charAt(i))) continue;
    parts.push(value.slice(start, i));
    start = i + 1;
  }
  parts.push(value.slice(start));
  return parts;
}

/** RFC 7208 §7.3: everything outside RFC 3986's unreserved set is escaped. Values are US-ASCII. */
function urlEscape(text: string): string {
  return text.replaceAll(
    /[^A-Za-z0-9\-._~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
