import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authResultsLimits, parseAuthenticationResults, readAuthenticationResults } from '../src/index.ts';
import type { ParseOptions } from '../src/index.ts';
import { hostileText } from './hostile.ts';

/** The value that must have been read. */
function value(field: string, options?: ParseOptions) {
  const read = parseAuthenticationResults(field, options);
  if (!read.ok) throw new Error(read.explanation);
  return read.value;
}

/** The code that must have been given. */
function code(field: string, options?: ParseOptions) {
  const read = parseAuthenticationResults(field, options);
  return read.ok ? 'read' : read.code;
}

/** The value of the one property of the one result. */
function pvalue(written: string, options?: ParseOptions) {
  return value(`a.example; m=pass h.p=${written}`, options).results[0]?.properties[0]?.value;
}

describe('RFC 8601 §2.2 authserv-id and version', () => {
  test.each([
    ['mail.example; none', 'mail.example'],
    ['"mail.example"; none', 'mail.example'],
    [String.raw`"a \"b\" \\ c"; none`, String.raw`a "b" \ c`],
    ['"a\r\n b"; none', 'a b'],
    ['(c(d)) \r\n\t mail.example(e); none(f)', 'mail.example'],
    ['7; none', '7'],
    ['mail.example; none\r\n', 'mail.example'],
  ])('%j', (field, authservId) => {
    expect(value(field)).toEqual({ authservId, results: [] });
  });

  test('a version is kept, and only 1 is known', () => {
    expect(value('a 1; none')).toEqual({ authservId: 'a', version: 1, results: [] });
    expect(value('a(c)01 (d); none')).toEqual({ authservId: 'a', version: 1, results: [] });
    expect(code('a 2; none')).toBe('auth-results.unsupported-version');
    expect(code('a 11; none')).toBe('auth-results.unsupported-version');
    expect(code('a 0; none')).toBe('auth-results.unsupported-version');
  });

  test.each(['a/1; none', '"a"1; none', 'a b; none', 'a 1 1; none', 'a@b; none', '; none', '', 'a', 'a;', 'a;;none'])(
    'refused: %j',
    (field) => expect(code(field)).toBe('auth-results.syntax'),
  );
});

describe('RFC 8601 §2.2 none', () => {
  test('stands alone, in any case', () => {
    expect(value('a; NONE (nothing done)').results).toEqual([]);
    expect(code('a; none; spf=pass')).toBe('auth-results.syntax');
    expect(code('a; spf=pass; none')).toBe('auth-results.syntax');
    expect(code('a; none;')).toBe('auth-results.syntax');
  });

  test('a method may be named like it', () => {
    expect(value('a; none=pass').results).toEqual([{ method: 'none', result: 'pass', properties: [] }]);
  });
});

describe('RFC 8601 §2.2 resinfo', () => {
  test('everything at once', () => {
    expect(value('a; DKIM/2=Pass (fine) reason="all (good)" Header.D=a.example (x) header.i=@a.example')).toEqual({
      authservId: 'a',
      results: [
        {
          method: 'dkim',
          methodVersion: 2,
          result: 'pass',
          comment: 'fine',
          reason: 'all (good)',
          properties: [
            { ptype: 'header', property: 'd', value: 'a.example' },
            { ptype: 'header', property: 'i', value: '@a.example' },
          ],
        },
      ],
    });
  });

  test('the comment is the first that says something, its white space collapsed, its pairs resolved', () => {
    expect(value('a; m=pass () ( one\r\n\t two (three) \\) ) (four) x.y=z').results[0]?.comment).toBe(
      'one two (three) )',
    );
  });

  test('a comment is white space enough, a quoted string is not', () => {
    expect(value('a; m=pass(c)x.y=z').results[0]?.properties).toHaveLength(1);
    expect(value('a; m=pass(c)reason="r"(c)x.y="z"(c)').results[0]?.reason).toBe('r');
    expect(code('a; m=pass reason="r"x.y=z')).toBe('auth-results.syntax');
  });

  test('a pvalue ends in optional CFWS, so a quoted one may touch the next property', () => {
    expect(value('a; m=pass x.y="z"u.v=w').results[0]?.properties).toHaveLength(2);
  });

  test('a type of property may be named reason', () => {
    expect(value('a; m=pass reason=r reason.x=y').results[0]).toMatchObject({
      reason: 'r',
      properties: [{ ptype: 'reason', property: 'x', value: 'y' }],
    });
  });

  test.each([
    'a; m=pass x.y=z reason=r',
    'a; m=pass reason=r reason=s',
    'a; m=pass reason=a/b',
    'a; m=pass-',
    'a; m-=pass',
    'a; m=perm_fail',
    'a; g.m=pass',
    'a; m/x=pass',
    'a; m/=pass',
    'a; m/99999999999999999999=pass',
    'a; m=pass x=y',
    'a; m=pass x.y=z;',
    'a; m=pass ;; n=pass',
    'a; m=pass x.y=z:',
  ])('refused: %j', (field) => expect(code(field)).toBe('auth-results.syntax'));
});

describe('RFC 8601 §2.2 pvalue', () => {
  test.each([
    ['token', 'token'],
    ['192.0.2.1', '192.0.2.1'],
    ['""', ''],
    ['"2001:db8::1"', '2001:db8::1'],
    ['@b.example', '@b.example'],
    ['x+y@b.example', 'x+y@b.example'],
    ['srs=x/y@b.example', 'srs=x/y@b.example'],
    ['x (c) @b.example', 'x@b.example'],
    ['(c)"x y" @b.example (d)', '"x y"@b.example'],
    ['"x\r\n y"@b.example', '"x y"@b.example'],
    ['"x@b.example"', 'x@b.example'],
  ])('%j is read as %j', (written, read) => expect(pvalue(written)).toBe(read));

  test.each([
    '',
    'a=b',
    'a/b',
    'x@localhost',
    'x@',
    'x@-b.example',
    'x@b..example',
    '.x@b.example',
    'x@y@b.example',
    '<>',
  ])('refused: %j', (written) => expect(code(`a; m=pass h.p=${written}`)).toBe('auth-results.syntax'));
});

describe('RFC 8616 internationalized values', () => {
  test('are refused unless asked for', () => {
    expect(code('a; m=pass (é)')).toBe('auth-results.non-ascii');
    expect(value('a; m=pass (é)', { eai: true }).results[0]?.comment).toBe('é');
  });

  test('stand in quoted strings, domains and addresses, not in tokens', () => {
    expect(pvalue('é@b.example', { eai: true })).toBe('é@b.example');
    expect(pvalue('x@bücher.example', { eai: true })).toBe('x@bücher.example');
    expect(pvalue('bücher.example', { eai: true })).toBe('bücher.example');
    expect(code('bücher.example; none', { eai: true })).toBe('auth-results.syntax');
    expect(code('a; m=pass reason=bücher', { eai: true })).toBe('auth-results.syntax');
  });

  test('what was no UTF-8 is refused', () => {
    expect(code('a; m=pass (\ufffd)', { eai: true })).toBe('auth-results.non-ascii');
    expect(code('a; m=pass (\ud800)', { eai: true })).toBe('auth-results.non-ascii');
  });
});

describe('RFC 8617 §4.1.1 ARC-Authentication-Results', () => {
  test('has an instance first', () => {
    expect(value('i=1; a; none', { arc: true })).toEqual({ instance: 1, authservId: 'a', results: [] });
    expect(value(' (c)i (c) = (c) 50 (c) ; a; none', { arc: true }).instance).toBe(50);
  });

  test.each([
    'a; none',
    'i=0; a; none',
    'i=51; a; none',
    'i=001; a; none',
    'I=1; a; none',
    'i=; a; none',
    'i=1 a; none',
  ])('refused: %j', (field) => expect(code(field, { arc: true })).toBe('auth-results.syntax'));

  test('an instance is no authserv-id', () => expect(code('i=1; a; none')).toBe('auth-results.syntax'));
});

describe('what no field may hold', () => {
  test.each(['\0', '\u0001', '\u001b', '\u007f', '\r', '\n', '\r\nSubject: x', '\n b', '\r b'])('%j', (bad) => {
    for (const field of [`a${bad}; none`, `"a${bad}"; none`, `a (${bad}); none`, `a; m=pass reason="${bad}"`]) {
      expect(code(field, { eai: true })).toBe('auth-results.control-character');
    }
  });

  test('the offset points at it', () => {
    expect(parseAuthenticationResults('a; m=pass\n')).toMatchObject({ ok: false, offset: 9 });
    expect(parseAuthenticationResults('a; m=pass x.y=z :')).toMatchObject({ ok: false, offset: 16 });
  });
});

const results = (count: number) => 'a' + '; m=pass'.repeat(count);
const properties = (count: number) => 'a; m=pass' + ' x.y=z'.repeat(count);
const comments = (depth: number) => `${'('.repeat(depth)}${')'.repeat(depth)}a; none`;

describe('limits', () => {
  test('are reached and not passed', () => {
    expect(value(results(authResultsLimits.maxResults)).results).toHaveLength(authResultsLimits.maxResults);
    expect(code(results(authResultsLimits.maxResults + 1))).toBe('auth-results.too-many-results');
    expect(code(properties(authResultsLimits.maxProperties))).toBe('read');
    expect(code(properties(authResultsLimits.maxProperties + 1))).toBe('auth-results.too-many-properties');
    expect(code(comments(authResultsLimits.maxCommentDepth))).toBe('read');
    expect(code(comments(authResultsLimits.maxCommentDepth + 1))).toBe('auth-results.comment-too-deep');
    expect(code(`a; none${' '.repeat(authResultsLimits.maxFieldLength)}`)).toBe('auth-results.too-long');
  });

  test('hold for the tolerant reader too', () => {
    expect(readAuthenticationResults(results(101))).toMatchObject({ code: 'auth-results.too-many-results' });
    expect(readAuthenticationResults(properties(51))).toMatchObject({ code: 'auth-results.too-many-properties' });
    expect(readAuthenticationResults(comments(51))).toMatchObject({ code: 'auth-results.comment-too-deep' });
    expect(readAuthenticationResults(' '.repeat(70_000))).toMatchObject({ code: 'auth-results.too-long' });
  });

  test('are options', () => {
    expect(code(results(3), { limits: { maxResults: 2 } })).toBe('auth-results.too-many-results');
    expect(readAuthenticationResults('a; m=pass', { limits: { maxFieldLength: 8 } }).ok).toBe(false);
  });
});

describe('cost', () => {
  const size = 200_000;
  const limits = { maxFieldLength: 2 * size, maxResults: size, maxProperties: size };
  // Each is a great many characters of one thing: a reader that went over any of it twice would not come back.
  test.each([
    ['spaces', ' '],
    ['folds', '\r\n '],
    ['open comments', '('],
    ['comments', '(a)'],
    ['a quoted string', String.raw`"\"`],
    ['one word', 'a'],
    ['hyphens', '-'],
    ['dots', 'a.'],
    ['dots apart', 'a . '],
    ['slashes', 'a / '],
    ['results', '; m=pass'],
    ['properties', ' x.y=z'],
    ['addresses', ' x.y=a-b-@c-d-.e'],
    ['quotes', '"'],
    ['backslashes', '\\'],
    ['equals signs', '='],
  ])('is linear in %s', (_, piece) => {
    const run = piece.repeat(size / piece.length);
    for (const field of [run, `a${run}`, `a; m=pass${run}`, `a; m=pass x.y=${run}`, `a; m=pass reason="${run}`]) {
      expect(parseAuthenticationResults(field, { limits })).toHaveProperty('ok');
      expect(readAuthenticationResults(field, { limits })).toHaveProperty('ok');
    }
  });
});

describe('any text', () => {
  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'a',
          'dkim',
          '=',
          'pass',
          ';',
          ' ',
          '\r\n\t',
          '(',
          ')',
          '"',
          '\\',
          '.',
          '@',
          '/',
          'reason',
          '1',
          'none',
          'é',
          '\0',
        ),
        hostileText,
      ),
    )
    .map((parts) => parts.join(''));

  test('is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (text, eai) => {
        expect(parseAuthenticationResults(text, { eai })).toHaveProperty('ok');
        expect(readAuthenticationResults(text)).toHaveProperty('ok');
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the tolerant reader', () => {
  test.each([
    [
      'Outlook: no id, an action, an empty value',
      'spf=none; dmarc=none action=none header.from=;compauth=fail reason=001',
      {
        authservId: '',
        results: [
          { method: 'spf', result: 'none', properties: [] },
          { method: 'dmarc', result: 'none', properties: [{ ptype: 'header', property: 'from', value: '' }] },
          { method: 'compauth', result: 'fail', reason: '001', properties: [] },
        ],
      },
    ],
    ['an id alone', 'mail.example 1', { authservId: 'mail.example', version: 1, results: [] }],
    [
      'an id without ";"',
      'a.example spf=pass',
      { authservId: 'a.example', results: [{ method: 'spf', result: 'pass', properties: [] }] },
    ],
    ['doubled ";"', 'a;; none;', { authservId: 'a', results: [] }],
    [
      'a reason last, quotes in a value',
      'a; auth=pass smtp.auth="x y"@b reason="r"',
      {
        authservId: 'a',
        results: [
          {
            method: 'auth',
            result: 'pass',
            reason: 'r',
            properties: [{ ptype: 'smtp', property: 'auth', value: '"x y"@b' }],
          },
        ],
      },
    ],
  ])('%s', (_, field, expected) => {
    expect(readAuthenticationResults(field)).toEqual({ ok: true, value: expected });
  });

  test.each(['', ';', ' (c) ', 'none', 'a (', 'a; m="', 'a 2; none', 'a\0; none'])('refuses %j', (field) => {
    expect(readAuthenticationResults(field).ok).toBe(false);
  });
});
