import { authResultsLimits } from './limits.ts';
import { parseAuthenticationResults, syntaxFailure, tooLong } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import type { AuthenticationResults, MethodResult, ParseResult, ResultProperty } from './results.ts';
import { fail, peek, readQuotedString, scan, skipCfws, takeCharacter, takeRun, unfold } from './tokens.ts';
import type { Scanner } from './tokens.ts';

/** What stands before a "=", or a word alone. */
const nameRun = /[^ \t\r\n;=()"]+/y;
const valueRun = /[^ \t\r\n;("]+/y;

/** Everything read so far. */
interface Draft {
  instance: number | undefined;
  authservId: string | undefined;
  version: number | undefined;
  readonly results: MethodResult[];
}

/** The result that is being read. */
interface ResultDraft {
  readonly method: string;
  readonly methodVersion: number | undefined;
  readonly result: string;
  readonly comment: string | undefined;
  reason: string | undefined;
  readonly properties: ResultProperty[];
}

/**
 * Reads what others write: Authentication-Results as they are found in mail, not as RFC 8601 has them.
 *
 * What the grammar takes is read by the grammar, with or without the instance of an ARC field. Beyond it this takes: no
 * authserv-id (`authservId` is then empty), one that stands later or without ";", a trailing or doubled ";", unquoted
 * values with "/", "=" or ":", empty values, underscores and dots in names, `i=1;` before a plain field, bare CR or LF
 * as folds, UTF-8 anywhere. What is neither a result, a reason nor a property (`action=none`) is passed over. Open
 * comments and quoted strings, other control characters, versions other than 1 and everything over a limit still fail.
 *
 * For display and statistics. Trust decisions belong to {@link parseAuthenticationResults}.
 */
export function readAuthenticationResults(field: string, options: Pick<ParseOptions, 'limits'> = {}): ParseResult {
  for (const arc of [false, true]) {
    const strict = parseAuthenticationResults(field, { ...options, eai: true, arc });
    if (strict.ok) return strict;
  }
  const limits = { ...authResultsLimits, ...options.limits };
  if (field.length > limits.maxFieldLength) return tooLong(limits);
  const scanner = scan(field, limits.maxCommentDepth);
  const control = field.search(/(?![\t\r\n])\p{Cc}/u);
  if (control !== -1) fail(scanner, 'auth-results.control-character', control);
  const draft: Draft = { instance: undefined, authservId: undefined, version: undefined, results: [] };
  while (scanner.failure === undefined && scanner.position < field.length) {
    readSegment(scanner, draft, limits.maxProperties);
    if (draft.results.length > limits.maxResults) {
      fail(scanner, 'auth-results.too-many-results', scanner.position, { limit: limits.maxResults });
    }
  }
  if (draft.version !== undefined && draft.version !== 1) {
    fail(scanner, 'auth-results.unsupported-version');
  }
  if (draft.authservId === undefined && draft.results.length === 0) return scanner.failure ?? syntaxFailure(scanner);
  return scanner.failure ?? { ok: true, value: finish(draft) };
}

function finish(draft: Draft): AuthenticationResults {
  return {
    ...(draft.instance === undefined ? {} : { instance: draft.instance }),
    authservId: draft.authservId ?? '',
    ...(draft.version === undefined ? {} : { version: 1 }),
    results: draft.results,
  };
}

/** What stands between two ";": lone words, then a result, then what belongs to it. */
function readSegment(scanner: Scanner, draft: Draft, maxProperties: number): void {
  let result: ResultDraft | undefined;
  let afterId = false;
  for (;;) {
    if (skipCfws(scanner) === undefined) return;
    if (peek(scanner) === '' || takeCharacter(scanner, ';')) break;
    const name = readName(scanner);
    if (name === undefined) return;
    if (!takeCharacter(scanner, '=')) {
      if (name === '') scanner.position++;
      else if (result === undefined) afterId = readLoneWord(draft, name, afterId);
      continue;
    }
    const gap = skipCfws(scanner);
    const value = gap && readLenientValue(scanner);
    if (value === undefined) return;
    if (result !== undefined) {
      addDetail(scanner, result, name, value, maxProperties);
    } else if (
      name === 'i' &&
      draft.authservId === undefined &&
      draft.results.length === 0 &&
      /^[0-9]{1,2}$/.test(value)
    ) {
      draft.instance = Number(value);
    } else {
      result = startResult(name, value, skipCfws(scanner)?.comment);
    }
    if (scanner.failure !== undefined) return;
  }
  if (result === undefined) return;
  const { method, methodVersion, result: word, reason, comment, properties } = result;
  draft.results.push({
    method,
    ...(methodVersion === undefined ? {} : { methodVersion }),
    result: word,
    ...(reason === undefined ? {} : { reason }),
    ...(comment === undefined ? {} : { comment }),
    properties,
  });
}

/** A word with no "=": the authserv-id if there is none yet, its version right behind it, or nothing (`none`). */
function readLoneWord(draft: Draft, word: string, afterId: boolean): boolean {
  if (afterId && /^[0-9]+$/.test(word)) draft.version = Number(word);
  if (draft.authservId !== undefined || word.toLowerCase() === 'none') return false;
  draft.authservId = word;
  return true;
}

/** A name, put together again when CFWS stands around its "." or "/". */
function readName(scanner: Scanner): string | undefined {
  if (peek(scanner) === '"') return readQuotedString(scanner);
  let name = '';
  for (;;) {
    const run = takeRun(scanner, nameRun);
    name += run;
    if (skipCfws(scanner) === undefined) return undefined;
    const next = peek(scanner);
    if (next === '' || ';=()"'.includes(next)) return name;
    if (!run.endsWith('.') && !run.endsWith('/') && next !== '.' && next !== '/') return name;
  }
}

/** A value up to white space, ";" or a comment. A quoted string alone is unquoted, as part of an address it is not. */
function readLenientValue(scanner: Scanner): string | undefined {
  const start = scanner.position;
  let unquoted = '';
  let pieces = 0;
  for (;;) {
    const from = scanner.position;
    const piece = peek(scanner) === '"' ? readQuotedString(scanner) : takeRun(scanner, valueRun);
    if (piece === undefined) return undefined;
    if (scanner.position === from) break;
    unquoted += piece;
    pieces++;
  }
  return pieces > 1 ? unfold(scanner.text.slice(start, scanner.position)) : unquoted;
}

function startResult(name: string, result: string, comment: string | undefined): ResultDraft | undefined {
  if (name === '' || result === '') return undefined;
  const version = /^(.*)\/([0-9]{1,9})$/.exec(name);
  const method = (version?.[1] ?? name).toLowerCase();
  const methodVersion = version === null ? undefined : Number(version[2]);
  return { method, methodVersion, result: result.toLowerCase(), comment, reason: undefined, properties: [] };
}

function addDetail(scanner: Scanner, result: ResultDraft, name: string, value: string, maxProperties: number): void {
  const dot = name.indexOf('.');
  if (name.toLowerCase() === 'reason') result.reason ??= value;
  if (dot <= 0) return;
  if (result.properties.length === maxProperties) {
    fail(scanner, 'auth-results.too-many-properties', scanner.position, { limit: maxProperties });
    return;
  }
  const lower = name.toLowerCase();
  result.properties.push({ ptype: lower.slice(0, dot), property: lower.slice(dot + 1), value });
}
