/**
 * The lexical tokens that Authentication-Results is made of: CFWS and quoted-string (RFC 5322 §3.2), token (RFC 2045
 * §5.1), Keyword (RFC 5321 §4.1.1.1), domain-name (RFC 6376 §3.5).
 *
 * A reader either returns what it read and moves the scanner behind it, or notes the failure in the scanner and
 * returns undefined. Nothing is read twice, so cost is linear in the text.
 */
import { parseFailure } from './errors.ts';
import type { AuthResultsCode, Expectation, FailureFacts, ParseFailure } from './errors.ts';

/** A text, how far it has been read, and why reading stopped. */
export interface Scanner {
  readonly text: string;
  readonly maxCommentDepth: number;
  position: number;
  failure: ParseFailure | undefined;
}

/** CFWS as it was found. */
export interface Cfws {
  /** Whether there was any. */
  readonly present: boolean;
  /** Text of its first comment that says something. */
  readonly comment: string | undefined;
}

const blanks = /[ \t\r\n]*/y;
const commentText = /[^()\\]+/y;
const quotedText = /[^"\\]+/y;
const token = /[!#-'*+\-.0-9A-Z^-~]+/y;
const keyword = /[A-Za-z0-9-]+/y;
const lineEnds = /[\r\n]+/g;
/** VCHAR, SP or HTAB (RFC 5322 §3.2.1), or beyond ASCII (RFC 6532 §3.2). */
const quotable = /[ -~\t\u0080-\uffff]/;

/** Starts reading a text. */
export function scan(text: string, maxCommentDepth: number): Scanner {
  return { text, maxCommentDepth, position: 0, failure: undefined };
}

/** Notes why reading stopped, if nothing was noted before. */
export function fail(
  scanner: Scanner,
  code: AuthResultsCode,
  offset = scanner.position,
  facts: FailureFacts = {},
): undefined {
  scanner.failure ??= parseFailure(code, offset, facts);
}

/** Notes what the grammar asks for at this place. */
export function expected(scanner: Scanner, what: Expectation, offset = scanner.position): undefined {
  return fail(scanner, 'auth-results.syntax', offset, { expected: what });
}

/** The character at the scanner, or the empty string at the end. */
export function peek(scanner: Scanner): string {
  return scanner.text.charAt(scanner.position);
}

/** Moves behind `character` if it stands here. */
export function takeCharacter(scanner: Scanner, character: string): boolean {
  if (peek(scanner) !== character) return false;
  scanner.position++;
  return true;
}

/** What a sticky pattern matches here: possibly nothing. */
export function takeRun(scanner: Scanner, pattern: RegExp): string {
  pattern.lastIndex = scanner.position;
  const run = pattern.exec(scanner.text)?.[0] ?? '';
  scanner.position += run.length;
  return run;
}

/** `[CFWS]`: white space, folds and comments, possibly none. */
export function skipCfws(scanner: Scanner): Cfws | undefined {
  const start = scanner.position;
  let comment: string | undefined;
  for (;;) {
    takeRun(scanner, blanks);
    if (peek(scanner) !== '(') return { present: scanner.position > start, comment };
    const text = readComment(scanner);
    if (text === undefined) return undefined;
    if (text !== '') comment ??= text;
  }
}

/** A comment, nested ones as part of its text, quoted pairs resolved, runs of white space as one space. */
function readComment(scanner: Scanner): string | undefined {
  const start = scanner.position;
  let depth = 0;
  let text = '';
  do {
    const character = peek(scanner);
    if (character === '') return expected(scanner, 'comment-end', start);
    if (character === '\\') {
      const pair = readQuotedPair(scanner);
      if (pair === undefined) return undefined;
      text += pair;
      continue;
    }
    if (character !== '(' && character !== ')') {
      text += takeRun(scanner, commentText);
      continue;
    }
    scanner.position++;
    depth += character === '(' ? 1 : -1;
    if (depth > scanner.maxCommentDepth) {
      return fail(scanner, 'auth-results.comment-too-deep', scanner.position, { limit: scanner.maxCommentDepth });
    }
    text += character;
  } while (depth > 0);
  return collapseBlanks(text.slice(1, -1));
}

/** White space in a comment means nothing but a gap: each run becomes one space, none at the ends. */
export function collapseBlanks(text: string): string {
  return text.replaceAll(/[ \t\r\n]+/g, ' ').replaceAll(/^ | $/g, '');
}

/** quoted-string without the CFWS around it. Quoted pairs are resolved, folds undone. */
export function readQuotedString(scanner: Scanner): string | undefined {
  const start = scanner.position;
  let text = '';
  scanner.position++;
  for (;;) {
    text += takeRun(scanner, quotedText);
    if (takeCharacter(scanner, '"')) return unfold(text);
    if (peek(scanner) === '') return expected(scanner, 'quote-end', start);
    const pair = readQuotedPair(scanner);
    if (pair === undefined) return undefined;
    text += pair;
  }
}

/** The character that a backslash quotes. */
function readQuotedPair(scanner: Scanner): string | undefined {
  const character = scanner.text.charAt(scanner.position + 1);
  if (!quotable.test(character)) return expected(scanner, 'quoted-character');
  scanner.position += 2;
  return character;
}

/** RFC 5322 §2.2.3: the line ends of folds go, the white space stays. */
export function unfold(text: string): string {
  return text.replaceAll(lineEnds, '');
}

/** `value` of RFC 2045 §5.1: token or quoted-string, unquoted. */
export function readValue(scanner: Scanner, what: Expectation): string | undefined {
  if (peek(scanner) === '"') return readQuotedString(scanner);
  const run = takeRun(scanner, token);
  return run === '' ? expected(scanner, what) : run;
}

/** Keyword (RFC 5321: letters, digits and hyphens, no hyphen last), in lower case. */
export function readKeyword(scanner: Scanner, what: Expectation): string | undefined {
  const start = scanner.position;
  const run = takeRun(scanner, keyword);
  return run === '' || run.endsWith('-') ? expected(scanner, what, start) : run.toLowerCase();
}

/** Whether the whole text is a token. */
export function isToken(text: string): boolean {
  return /^[!#-'*+\-.0-9A-Z^-~]+$/.test(text);
}

/** Whether the whole text is a dot-atom-text (RFC 5322 §3.2.3), UTF-8 included (RFC 6532 §3.2). */
export function isDotAtom(text: string): boolean {
  return text.split('.').every((atom) => /^[!#-'*+\-/0-9=?A-Z^-~\u0080-\uffff]+$/.test(atom));
}

/** Whether the whole text is a domain-name: two labels or more, of letters, digits and inner hyphens, or U-labels. */
export function isDomainName(text: string): boolean {
  const labels = text.split('.');
  return (
    labels.length > 1 && labels.every((label) => /^[A-Za-z0-9\u0080-\uffff-]+$/.test(label) && !/^-|-$/.test(label))
  );
}
