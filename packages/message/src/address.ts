/**
 * Address lists as they stand in From (RFC 5322 §3.4, §4.4; RFC 6532).
 *
 * The reader is strict on purpose. Mail programs and filters that read an odd From differently are how a forged author
 * gets past DMARC ("Composition Kills", USENIX Security 2020), so whatever a tolerant program could read as another
 * address than a strict one does is refused here: source routes, control characters, stray text beside an address,
 * blanks and comments around the dots of one, addresses as group names, empty list elements. Two habits outside the
 * grammar are so common, and read alike by everybody, that they are allowed: an address used as its own display name
 * without quotes (`me@example.test <me@example.test>`), as long as both are the same; and dots where a local part has
 * none (`a..b@example.test`, `a.@example.test`), as providers in Japan gave them out.
 */

import { messageLimits } from './limits.ts';
import type { MessageLimits } from './limits.ts';

/** One mailbox. `localPart` is unquoted; `domain` is as written, or a domain literal with its brackets. */
export interface Mailbox {
  readonly localPart: string;
  readonly domain: string;
  readonly displayName: string;
}

export type AddressError =
  | 'empty'
  | 'control-character'
  | 'unexpected-character'
  | 'unterminated-quote'
  | 'unterminated-comment'
  | 'comment-too-deep'
  | 'no-domain'
  | 'malformed-address'
  | 'source-route'
  | 'ambiguous-display-name'
  | 'too-many-addresses';

export type AddressList =
  | { readonly ok: true; readonly mailboxes: readonly Mailbox[] }
  | { readonly ok: false; readonly error: AddressError; readonly offset: number };

type AddressLimits = Pick<MessageLimits, 'maxAddresses' | 'maxCommentDepth'>;

/** A lexical element: an atom run, a quoted string (unquoted), a domain literal, or one special character. */
interface Token {
  readonly kind: 'atom' | 'quoted' | 'literal' | 'special';
  readonly text: string;
  readonly offset: number;
  /** White space or a comment stood before it. */
  readonly spaced: boolean;
}

/**
 * Reads an address list from an unfolded field value, groups included. Time is linear in `value`.
 * An empty group (`undisclosed-recipients:;`) is a valid list without mailboxes.
 */
export function parseAddressList(value: string, limits: AddressLimits = messageLimits): AddressList {
  const lexed = lex(value, limits.maxCommentDepth);
  if (!lexed.ok) return lexed;
  return new AddressReader(lexed.tokens, value.length, limits.maxAddresses).read();
}

type Lexed =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly error: AddressError; readonly offset: number };

const failed = (error: AddressError, offset: number): Extract<Lexed, { ok: false }> => ({ ok: false, error, offset });

const HTAB = 0x09;
const SP = 0x20;
const QUOTE = 0x22;
const OPENING_PARENTHESIS = 0x28;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;

function lex(value: string, maxCommentDepth: number): Lexed {
  const tokens: Token[] = [];
  let at = 0;
  let spaced = false;
  while (at < value.length) {
    const code = value.charCodeAt(at);
    const start = at;
    if (isAtomText(code)) {
      do at++;
      while (at < value.length && isAtomText(value.charCodeAt(at)));
      tokens.push({ kind: 'atom', text: value.slice(start, at), offset: start, spaced });
      spaced = false;
    } else if (code === SP || code === HTAB) {
      spaced = true;
      at++;
    } else if (code === OPENING_PARENTHESIS) {
      const end = skipComment(value, at, maxCommentDepth);
      if (typeof end === 'string') return failed(end, at);
      spaced = true;
      at = end;
    } else if (code === QUOTE) {
      const quoted = readQuoted(value, at);
      if ('error' in quoted) return quoted;
      tokens.push({ kind: 'quoted', text: quoted.text, offset: start, spaced });
      spaced = false;
      at = quoted.end;
    } else if (code === OPENING_BRACKET) {
      const end = value.indexOf(']', at);
      if (end === -1) return failed('unexpected-character', at);
      const text = value.slice(at, end + 1);
      if (!/^\[[\x21-\x5a\x5e-\x7e]*\]$/.test(text)) return failed('unexpected-character', at);
      tokens.push({ kind: 'literal', text, offset: start, spaced });
      spaced = false;
      at = end + 1;
    } else {
      const char = value.charAt(at);
      if (!'<>@,;:.'.includes(char)) return failed(isControl(char) ? 'control-character' : 'unexpected-character', at);
      tokens.push({ kind: 'special', text: char, offset: start, spaced });
      spaced = false;
      at++;
    }
  }
  return { ok: true, tokens };
}

/** The quoted string at `start`: what it says, and the offset behind it. */
function readQuoted(
  value: string,
  start: number,
): { readonly text: string; readonly end: number } | Extract<Lexed, { ok: false }> {
  let text = '';
  /** Where what was not taken yet begins. */
  let from = start + 1;
  for (let at = from; ; at++) {
    const code = value.charCodeAt(at);
    if (code === QUOTE) return { text: text + value.slice(from, at), end: at + 1 };
    if (code === BACKSLASH) {
      text += value.slice(from, at);
      at++;
      from = at;
    }
    if (at >= value.length) return failed('unterminated-quote', start);
    const char = value.charAt(at);
    if (isControl(char) && char !== '\t') return failed('control-character', at);
  }
}

/** Offset behind the comment at `start`, or why there is none. Depth is counted, not recursed into. */
function skipComment(value: string, start: number, maxDepth: number): number | AddressError {
  let depth = 0;
  for (let at = start; at < value.length; at++) {
    const char = value.charAt(at);
    const escaped = char === '\\';
    if (escaped) at++;
    const shown = escaped ? value.charAt(at) : char;
    if (shown !== '\t' && isControl(shown)) return 'control-character';
    if (char === '(' && ++depth > maxDepth) return 'comment-too-deep';
    if (char === ')' && --depth === 0) return at + 1;
  }
  return 'unterminated-comment';
}

function isControl(char: string): boolean {
  const code = char.charCodeAt(0);
  return code < 0x20 || code === 0x7f;
}

/** RFC 5322 §3.2.3 atext, and everything outside US-ASCII (RFC 6532 §3.2). */
function isAtomText(code: number): boolean {
  return code >= 0x80 || atomText[code] === 1;
}

const atomText = new Uint8Array(0x80);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~") {
  atomText[char.charCodeAt(0)] = 1;
}

/** A run of tokens, from one to before another. */
interface Run {
  readonly from: number;
  readonly to: number;
}

class AddressReader {
  readonly #tokens: readonly Token[];
  readonly #length: number;
  readonly #maxAddresses: number;
  readonly #mailboxes: Mailbox[] = [];
  #at = 0;
  #error: { error: AddressError; offset: number } | null = null;

  constructor(tokens: readonly Token[], length: number, maxAddresses: number) {
    this.#tokens = tokens;
    this.#length = length;
    this.#maxAddresses = maxAddresses;
  }

  read(): AddressList {
    if (this.#tokens.length === 0) return { ok: false, error: 'empty', offset: 0 };
    let inGroup = false;
    for (;;) {
      if (inGroup && this.#takeSpecial(';')) {
        inGroup = false;
      } else {
        const words = this.#readWords();
        if (!inGroup && words.to > words.from && isPhrase(this.#tokens, words) && this.#takeSpecial(':')) {
          inGroup = true;
          continue;
        }
        if (!this.#readMailbox(words)) return this.#failure();
        if (inGroup && this.#takeSpecial(';')) inGroup = false;
      }
      if (this.#at === this.#tokens.length) {
        return inGroup ? this.#failure('unexpected-character') : { ok: true, mailboxes: this.#mailboxes };
      }
      if (!this.#takeSpecial(',')) return this.#failure('unexpected-character');
    }
  }

  /** The run of words, dots and `@` that may be a display name or an addr-spec. */
  #readWords(): Run {
    const from = this.#at;
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) break;
      if (token.kind === 'special' && token.text !== '.' && token.text !== '@') break;
      this.#at++;
    }
    return { from, to: this.#at };
  }

  #readMailbox(words: Run): boolean {
    if (!this.#takeSpecial('<')) {
      const spec = addrSpec(this.#tokens, words);
      if (spec !== null) return this.#add(spec, '');
      return this.#fail(words.to === words.from ? 'unexpected-character' : whyNoAddress(this.#tokens, words), words);
    }
    const inside = this.#readWords();
    if (!this.#takeSpecial('>')) {
      const route = inside.to > inside.from && isSpecial(this.#tokens[inside.from], '@');
      return this.#fail(route ? 'source-route' : 'unexpected-character', inside);
    }
    const spec = addrSpec(this.#tokens, inside);
    if (spec === null) return this.#fail(whyNoAddress(this.#tokens, inside), inside);
    const name = displayName(this.#tokens, words, spec);
    return name === null ? this.#fail('ambiguous-display-name', words) : this.#add(spec, name);
  }

  #add({ localPart, domain }: AddrSpec, displayName: string): boolean {
    if (this.#mailboxes.length === this.#maxAddresses) return this.#fail('too-many-addresses');
    this.#mailboxes.push({ localPart, domain, displayName });
    return true;
  }

  #takeSpecial(text: string): boolean {
    if (!isSpecial(this.#tokens[this.#at], text)) return false;
    this.#at++;
    return true;
  }

  #fail(error: AddressError, near?: Run): boolean {
    const at = near !== undefined && near.to > near.from ? near.from : this.#at;
    this.#error = { error, offset: this.#tokens[at]?.offset ?? this.#length };
    return false;
  }

  #failure(error: AddressError = 'unexpected-character'): AddressList {
    const offset = this.#tokens[this.#at]?.offset ?? this.#length;
    return { ok: false, ...(this.#error ?? { error, offset }) };
  }
}

function isSpecial(token: Token | undefined, text: string): boolean {
  return token !== undefined && token.kind === 'special' && token.text === text;
}

/** Whether words can be a display name: no `@` and no domain literal among them. */
function isPhrase(tokens: readonly Token[], { from, to }: Run): boolean {
  for (let at = from; at < to; at++) {
    const token = tokens[at];
    if (token?.kind === 'literal' || isSpecial(token, '@')) return false;
  }
  return true;
}

type AddrSpec = Pick<Mailbox, 'localPart' | 'domain'>;

/** RFC 5322 §3.4.1: words joined by dots (atoms: anywhere), one `@`, a dot-atom domain or a domain literal. */
function addrSpec(tokens: readonly Token[], { from, to }: Run): AddrSpec | null {
  let at = from;
  while (at < to && !isSpecial(tokens[at], '@')) at++;
  if (at === to) return null;
  const before = { from, to: at };
  const localPart = dotted(tokens, before, 'word') ?? dottedAnywhere(tokens, before);
  if (localPart === null) return null;
  const behind = { from: at + 1, to };
  const first = tokens[behind.from];
  const isLiteral = to === behind.from + 1 && first?.kind === 'literal';
  const domain = isLiteral ? first.text : dotted(tokens, behind, 'atom');
  return domain === null ? null : { localPart, domain };
}

/** The text of atoms, or of words (atoms and quoted strings), joined by single dots with nothing between; or null. */
function dotted(tokens: readonly Token[], { from, to }: Run, part: 'atom' | 'word'): string | null {
  let text = '';
  for (let at = from; at < to; at++) {
    const token = tokens[at];
    if (token === undefined || (at > from && token.spaced)) return null;
    const isDot = (at - from) % 2 === 1;
    const fits = isDot ? isSpecial(token, '.') : token.kind === 'atom' || (part === 'word' && token.kind === 'quoted');
    if (!fits) return null;
    text += token.text;
  }
  return (to - from) % 2 === 1 ? text : null;
}

/** The text of atoms with dots anywhere and nothing between, or null. */
function dottedAnywhere(tokens: readonly Token[], { from, to }: Run): string | null {
  let text = '';
  let hasAtom = false;
  for (let at = from; at < to; at++) {
    const token = tokens[at];
    if (token === undefined || (at > from && token.spaced)) return null;
    if (token.kind === 'atom') hasAtom = true;
    else if (!isSpecial(token, '.')) return null;
    text += token.text;
  }
  return hasAtom ? text : null;
}

/** Why words are no address: they name no domain, or something about one is wrong. */
function whyNoAddress(tokens: readonly Token[], { from, to }: Run): AddressError {
  for (let at = from; at < to; at++) if (isSpecial(tokens[at], '@')) return 'malformed-address';
  return 'no-domain';
}

/** A phrase, or null when it holds an address other than the mailbox's own. */
function displayName(tokens: readonly Token[], words: Run, spec: AddrSpec): string | null {
  if (!isPhrase(tokens, words)) {
    const own = hasLiteral(tokens, words) ? null : addrSpec(tokens, words);
    if (own === null || own.localPart !== spec.localPart || own.domain.toLowerCase() !== spec.domain.toLowerCase())
      return null;
  }
  let text = '';
  for (let at = words.from; at < words.to; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    text += at > words.from && token.spaced ? ` ${token.text}` : token.text;
  }
  return text;
}

function hasLiteral(tokens: readonly Token[], { from, to }: Run): boolean {
  for (let at = from; at < to; at++) if (tokens[at]?.kind === 'literal') return true;
  return false;
}
