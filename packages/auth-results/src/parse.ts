import { parseFailure } from './errors.ts';
import type { ParseFailure } from './errors.ts';
import { authResultsLimits } from './limits.ts';
import type { AuthResultsLimits } from './limits.ts';
import type { AuthenticationResults, MethodResult, ParseResult, ResultProperty } from './results.ts';
import {
  expected,
  fail,
  isDomainName,
  isDotAtom,
  isToken,
  peek,
  readKeyword,
  readQuotedString,
  readValue,
  scan,
  skipCfws,
  takeCharacter,
  takeRun,
  unfold,
} from './tokens.ts';
import type { Scanner } from './tokens.ts';

/** How a field body is to be read. */
export interface ParseOptions {
  /** Internationalized mail (RFC 8616, RFC 6532): UTF-8 may stand in quoted strings, comments and addresses. */
  readonly eai?: boolean;
  /** The body of an ARC-Authentication-Results field (RFC 8617 §4.1.1): `i=1;` comes first. */
  readonly arc?: boolean;
  readonly limits?: Partial<AuthResultsLimits>;
}

const digits = /[0-9]+/y;
const domainRun = /[A-Za-z0-9.\-\u0080-\uffff]+/y;
/** What may stand in a token or in a dot-atom. */
const word = /[!#-'*+\-./0-9=?A-Z^-~\u0080-\uffff]+/y;

/**
 * Reads the body of an Authentication-Results field by the grammar of RFC 8601 §2.2, and nothing beside it.
 *
 * `field` is what follows the colon, folded or unfolded, with or without its final CRLF; decoded as UTF-8. A fold is
 * CRLF and white space. Obsolete syntax (control characters in strings and comments) is refused. Result words need
 * not be registered: the grammar takes any keyword.
 *
 * Never throws. Whether the field may be believed is another matter: compare `authservId` first (RFC 8601 §5).
 */
export function parseAuthenticationResults(field: string, options: ParseOptions = {}): ParseResult {
  const limits = { ...authResultsLimits, ...options.limits };
  const text = field.endsWith('\r\n') ? field.slice(0, -2) : field;
  const refused = refuseCharacters(text, limits, options.eai ?? false);
  if (refused !== undefined) return refused;
  const scanner = scan(text, limits.maxCommentDepth);
  const value = readPayload(scanner, limits, options.arc ?? false);
  if (scanner.failure !== undefined) return scanner.failure;
  return value === undefined ? syntaxFailure(scanner) : { ok: true, value };
}

/** A failure without a more exact explanation. */
export function syntaxFailure(scanner: Scanner): ParseFailure {
  return parseFailure('auth-results.syntax', scanner.position, { expected: 'field' });
}

/** Refuses by length and by character, so that the grammar need not look for either. */
function refuseCharacters(text: string, limits: AuthResultsLimits, eai: boolean): ParseFailure | undefined {
  if (text.length > limits.maxFieldLength) return tooLong(limits);
  const control = text.search(/(?![\t\r\n\u0080-\u009f])\p{Cc}|\r(?!\n[ \t])|(?<!\r)\n/u);
  if (control !== -1) {
    return parseFailure('auth-results.control-character', control);
  }
  // U+FFFD is what decoding puts in place of bytes that are no UTF-8.
  const foreign = text.search(eai ? /[\p{Cs}\ufffd]/u : /\P{ASCII}/u);
  if (foreign === -1) return undefined;
  return parseFailure('auth-results.non-ascii', foreign, { charset: eai ? 'UTF-8' : 'US-ASCII' });
}

/** The failure of a field over its length limit. */
export function tooLong(limits: AuthResultsLimits): ParseFailure {
  const limit = limits.maxFieldLength;
  return parseFailure('auth-results.too-long', limit, { limit });
}

/** `authres-payload`, in ARC with the instance before it. */
function readPayload(scanner: Scanner, limits: AuthResultsLimits, arc: boolean): AuthenticationResults | undefined {
  const instance = arc ? readInstance(scanner) : undefined;
  if (scanner.failure !== undefined || skipCfws(scanner) === undefined) return undefined;
  const authservId = readValue(scanner, 'authserv-id');
  if (authservId === undefined) return undefined;
  const version = readVersion(scanner);
  if (scanner.failure !== undefined) return undefined;
  const results = readResults(scanner, limits);
  if (results === undefined) return undefined;
  return {
    ...(instance === undefined ? {} : { instance }),
    authservId,
    ...(version === undefined ? {} : { version }),
    results,
  };
}

/** `instance [CFWS] ";"` (RFC 8617 §4.2.1): `i=` in lower case, 1 to 50. */
function readInstance(scanner: Scanner): number | undefined {
  if (skipCfws(scanner) === undefined) return undefined;
  if (!takeCharacter(scanner, 'i')) return expected(scanner, 'instance-tag');
  if (skipCfws(scanner) === undefined) return undefined;
  if (!takeCharacter(scanner, '=')) return expected(scanner, 'instance-equals');
  if (skipCfws(scanner) === undefined) return undefined;
  const start = scanner.position;
  const run = takeRun(scanner, digits);
  const instance = Number(run);
  if (run.length > 2 || instance < 1 || instance > 50) return expected(scanner, 'instance', start);
  if (skipCfws(scanner) === undefined) return undefined;
  return takeCharacter(scanner, ';') ? instance : expected(scanner, 'instance-end');
}

/** `[ CFWS authres-version ] [CFWS]`. */
function readVersion(scanner: Scanner): 1 | undefined {
  const gap = skipCfws(scanner);
  if (gap === undefined || !gap.present) return undefined;
  const start = scanner.position;
  const run = takeRun(scanner, digits);
  if (run === '') return undefined;
  if (Number(run) !== 1) {
    return fail(scanner, 'auth-results.unsupported-version', start);
  }
  return skipCfws(scanner) === undefined ? undefined : 1;
}

/** `( no-result / 1*resinfo ) [CFWS]`, to the end of the text. */
function readResults(scanner: Scanner, limits: AuthResultsLimits): MethodResult[] | undefined {
  const results: MethodResult[] = [];
  while (takeCharacter(scanner, ';')) {
    if (results.length === limits.maxResults) {
      return fail(scanner, 'auth-results.too-many-results', scanner.position, { limit: limits.maxResults });
    }
    const result = readResinfo(scanner, limits, results.length === 0);
    if (result === undefined) return undefined;
    if (result === 'none') return results;
    results.push(result);
  }
  // A result ends at a ";" or at the end of the text.
  return results.length === 0 ? expected(scanner, 'first-result') : results;
}

/** One `resinfo` behind its ";"; or `none`, when it may stand here and nothing follows it. */
function readResinfo(scanner: Scanner, limits: AuthResultsLimits, first: boolean): MethodResult | 'none' | undefined {
  if (skipCfws(scanner) === undefined) return undefined;
  const method = readKeyword(scanner, 'method');
  if (method === undefined || skipCfws(scanner) === undefined) return undefined;
  if (first && method === 'none' && scanner.position === scanner.text.length) return 'none';
  const methodVersion = takeCharacter(scanner, '/') ? readMethodVersion(scanner) : undefined;
  if (scanner.failure !== undefined) return undefined;
  if (!takeCharacter(scanner, '=')) return expected(scanner, 'method-equals');
  if (skipCfws(scanner) === undefined) return undefined;
  const result = readKeyword(scanner, 'result');
  if (result === undefined) return undefined;
  const gap = skipCfws(scanner);
  if (gap === undefined) return undefined;
  const details = readDetails(scanner, limits, gap.present);
  if (details === undefined) return undefined;
  return {
    method,
    ...(methodVersion === undefined ? {} : { methodVersion }),
    result,
    ...(details.reason === undefined ? {} : { reason: details.reason }),
    ...(gap.comment === undefined ? {} : { comment: gap.comment }),
    properties: details.properties,
  };
}

/** `[CFWS] method-version [CFWS]`, behind its "/". */
function readMethodVersion(scanner: Scanner): number | undefined {
  if (skipCfws(scanner) === undefined) return undefined;
  const start = scanner.position;
  const run = takeRun(scanner, digits);
  if (run === '' || !Number.isSafeInteger(Number(run))) return expected(scanner, 'method-version', start);
  return skipCfws(scanner) === undefined ? undefined : Number(run);
}

interface Details {
  reason: string | undefined;
  readonly properties: ResultProperty[];
}

/** `[ CFWS reasonspec ] [ CFWS 1*propspec ]`: `separated` tells whether CFWS stands before it. */
function readDetails(scanner: Scanner, limits: AuthResultsLimits, separated: boolean): Details | undefined {
  const details: Details = { reason: undefined, properties: [] };
  let gap = separated;
  while (scanner.position < scanner.text.length && peek(scanner) !== ';') {
    if (!gap) return expected(scanner, 'gap');
    const start = scanner.position;
    const name = readKeyword(scanner, 'property');
    if (name === undefined || skipCfws(scanner) === undefined) return undefined;
    if (takeCharacter(scanner, '.')) {
      if (details.properties.length === limits.maxProperties) {
        return fail(scanner, 'auth-results.too-many-properties', scanner.position, { limit: limits.maxProperties });
      }
      const property = readProperty(scanner, name);
      if (property === undefined) return undefined;
      details.properties.push(property);
      // A pvalue ends in [CFWS] and another propspec may follow at once; only behind a reason CFWS is asked for.
      continue;
    }
    if (name !== 'reason' || details.reason !== undefined || details.properties.length > 0) {
      return expected(scanner, 'property-type', start);
    }
    if (!takeCharacter(scanner, '=')) return expected(scanner, 'reason-equals');
    if (skipCfws(scanner) === undefined) return undefined;
    details.reason = readValue(scanner, 'reason');
    if (details.reason === undefined) return undefined;
    const behind = skipCfws(scanner);
    if (behind === undefined) return undefined;
    gap = behind.present;
  }
  return details;
}

/** `propspec` behind its ".". */
function readProperty(scanner: Scanner, ptype: string): ResultProperty | undefined {
  if (skipCfws(scanner) === undefined) return undefined;
  const property = readKeyword(scanner, 'property-name');
  if (property === undefined || skipCfws(scanner) === undefined) return undefined;
  if (!takeCharacter(scanner, '=')) return expected(scanner, 'property-equals');
  const value = readPropertyValue(scanner);
  return value === undefined ? undefined : { ptype, property, value };
}

/** `pvalue`: value, or [ [ local-part ] "@" ] domain-name; CFWS around it. */
function readPropertyValue(scanner: Scanner): string | undefined {
  if (skipCfws(scanner) === undefined) return undefined;
  const start = scanner.position;
  const quoted = peek(scanner) === '"' ? readQuotedString(scanner) : undefined;
  if (scanner.failure !== undefined) return undefined;
  if (quoted === undefined) takeRun(scanner, word);
  const written = scanner.text.slice(start, scanner.position);
  if (skipCfws(scanner) === undefined) return undefined;
  if (takeCharacter(scanner, '@')) {
    if (quoted === undefined && written !== '' && !isDotAtom(written)) return expected(scanner, 'local-part', start);
    const from = scanner.position;
    const domain = takeRun(scanner, domainRun);
    if (!isDomainName(domain)) return expected(scanner, 'domain-name', from);
    return skipCfws(scanner) === undefined ? undefined : `${unfold(written)}@${domain}`;
  }
  if (quoted !== undefined) return quoted;
  return isToken(written) || isDomainName(written) ? written : expected(scanner, 'property-value', start);
}
