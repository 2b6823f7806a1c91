/**
 * Address lists as they stand in From (RFC 5322 §3.4, §4.4; RFC 6532).
 *
 * The reader is strict on purpose. Mail programs and filters that read an odd From differently are how a forged author
 * gets past DMARC ("Composition Kills", USENIX Security 2020), so whatever a tolerant program could read as another
 * address than a strict one does is refused here: source routes, control characters, stray text beside an address,
 * blanks and comments around the dots of one, addresses as group names, empty list elements. One habit outside the grammar is so common that it is allowed: an address used as its own
 * display name without quotes (`me@example.test <me@example.test>`), as long as both are the same.
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

const failed = (error: AddressError, offset: number): Lexed => ({ ok: false, error, offset });

function lex(value: string, maxCommentDepth: number): Lexed {
  const tokens: Token[] = [];
  let at = 0;
  let spaced = false;
  const add = (kind: Token['kind'], text: string, offset: number): void => {
    tokens.push({ kind, text, offset, spaced });
    spaced = false;
  };
  while (at < value.length) {
    const char = value.charAt(at);
    if (char === ' ' || char === '\t') {
      spaced = true;
      at++;
    } else if (char === '(') {
      const end = skipComment(value, at, maxCommentDepth);
      if (typeof end === 'string') return failed(end, at);
      spaced = true;
      at = end;
    } else if (char === '"') {
      const start = at;
      let text = '';
      at++;
      for (;;) {
        const inner = value.charAt(at);
        if (inner === '') return failed('unterminated-quote', start);
        if (inner === '"') break;
        if (inner === '\\') at++;
        const quoted = value.charAt(at);
        if (quoted === '') return failed('unterminated-quote', start);
        if (isControl(quoted) && quoted !== '\t') return failed('control-character', at);
        text += quoted;
        at++;
      }
      at++;
      add('quoted', text, start);
    } else if (char === '[') {
      const end = value.indexOf(']', at);
      if (end === -1) return failed('unexpected-character', at);
      const text = value.slice(at, end + 1);
      if (!/^\[[\x21-\x5a\x5e-\x7e]*\]$/.test(text)) return failed('unexpected-character', at);
      add('literal', text, at);
      at = end + 1;
    } else if ('<>@,;:.'.includes(char)) {
      add('special', char, at);
      at++;
    } else {
      const start = at;
      while (at < value.length && isAtomText(value.charCodeAt(at))) at++;
      if (at === start) return failed(isControl(char) ? 'control-character' : 'unexpected-character', at);
      add('atom', value.slice(start, at), start);
    }
  }
  return { ok: true, tokens };
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
        const phrase = this.#readWords();
        if (!inGroup && phrase.length > 0 && isPhrase(phrase) && this.#takeSpecial(':')) {
          inGroup = true;
          continue;
        }
        if (!this.#readMailbox(phrase)) return this.#failure();
        if (inGroup && this.#takeSpecial(';')) inGroup = false;
      }
      if (this.#at === this.#tokens.length) {
        return inGroup ? this.#failure('unexpected-character') : { ok: true, mailboxes: this.#mailboxes };
      }
      if (!this.#takeSpecial(',')) return this.#failure('unexpected-character');
    }
  }

  /** The run of words, dots and `@` that may be a display name or an addr-spec. */
  #readWords(): readonly Token[] {
    const start = this.#at;
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) break;
      if (token.kind === 'special' && token.text !== '.' && token.text !== '@') break;
      this.#at++;
    }
    return this.#tokens.slice(start, this.#at);
  }

  #readMailbox(words: readonly Token[]): boolean {
    if (!this.#takeSpecial('<')) {
      const spec = addrSpec(words);
      return spec === null
        ? this.#fail(words.length === 0 ? 'unexpected-character' : 'no-domain', words)
        : this.#add(spec, '');
    }
    const inside = this.#readWords();
    if (!this.#takeSpecial('>')) {
      const first = inside[0];
      const route = first !== undefined && isSpecial(first, '@');
      return this.#fail(route ? 'source-route' : 'unexpected-character', inside);
    }
    const spec = addrSpec(inside);
    if (spec === null) return this.#fail('no-domain', inside);
    const name = displayName(words, spec);
    return name === null ? this.#fail('ambiguous-display-name', words) : this.#add(spec, name);
  }

  #add(spec: { localPart: string; domain: string }, displayName: string): boolean {
    if (this.#mailboxes.length === this.#maxAddresses) return this.#fail('too-many-addresses', []);
    this.#mailboxes.push({ ...spec, displayName });
    return true;
  }

  #takeSpecial(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind !== 'special' || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #fail(error: AddressError, near: readonly Token[]): boolean {
    this.#error = { error, offset: near[0]?.offset ?? this.#tokens[this.#at]?.offset ?? this.#length };
    return false;
  }

  #failure(error: AddressError = 'unexpected-character'): AddressList {
    const offset = this.#tokens[this.#at]?.offset ?? this.#length;
    return { ok: false, ...(this.#error ?? { error, offset }) };
  }
}

function isSpecial(token: Token, text: string): boolean {
  return token.kind === 'special' && token.text === text;
}

/** Whether words can be a display name: no `@` and no domain literal among them. */
function isPhrase(words: readonly Token[]): boolean {
  return words.every((token) => token.kind !== 'literal' && !isSpecial(token, '@'));
}

/** RFC 5322 §3.4.1: words joined by dots, one `@`, a dot-atom domain or a domain literal. */
function addrSpec(tokens: readonly Token[]): { localPart: string; domain: string } | null {
  const at = tokens.findIndex((token) => isSpecial(token, '@'));
  if (at === -1) return null;
  const localPart = dotted(tokens.slice(0, at), (token) => token.kind === 'atom' || token.kind === 'quoted');
  const after = tokens.slice(at + 1);
  const [literal] = after;
  const domain =
    after.length === 1 && literal?.kind === 'literal' ? literal.text : dotted(after, (token) => token.kind === 'atom');
  return localPart === null || domain === null ? null : { localPart, domain };
}

/** The text of words joined by single dots with nothing between, or null. */
function dotted(tokens: readonly Token[], isWord: (token: Token) => boolean): string | null {
  if (tokens.length % 2 === 0) return null;
  const fits = tokens.every((token, index) =>
    index % 2 === 0 ? isWord(token) && (index === 0 || !token.spaced) : isSpecial(token, '.') && !token.spaced,
  );
  return fits ? tokens.map((token) => token.text).join('') : null;
}

/** A phrase, or null when it holds an address other than the mailbox's own. */
function displayName(words: readonly Token[], spec: { localPart: string; domain: string }): string | null {
  if (words.some((token) => token.kind === 'literal')) return null;
  if (!isPhrase(words)) {
    const own = addrSpec(words);
    if (own === null || own.localPart !== spec.localPart || own.domain.toLowerCase() !== spec.domain.toLowerCase())
      return null;
  }
  return words.map((token, index) => (index > 0 && token.spaced ? ` ${token.text}` : token.text)).join('');
}
