import { applyEdits, parseHeader } from '@zegel/message';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findForged,
  formatAuthenticationResultsField,
  maxIdentifierOctets,
  readAuthenticationResults,
} from '../src/index.ts';
import { hostileText } from './hostile.ts';

const ours = ['mx.example', 'MX2.Example.', 'bücher.example'];

/** Header bytes: text as UTF-8. */
function bytes(text: string) {
  return Buffer.from(text);
}

/** Whether a field with this value, standing alone, is removed. */
function removed(value: string | Buffer, ids = ours): boolean {
  const field = Buffer.concat([bytes('Authentication-Results:'), Buffer.from(value), bytes('\r\n')]);
  return findForged(parseHeader(field), ids).length === 1;
}

describe('RFC 8601 §5 fields that claim our authserv-id', () => {
  test.each([
    ' mx.example; dkim=pass',
    'mx.example;',
    ' mx.example',
    ' MX.EXAMPLE; none',
    ' mx.example 1; none',
    ' mx.example\t01 ; none',
    ' "mx.example"; none',
    String.raw` "mx\.exam\ple"; none`,
    ' mx.example.; none',
    ' mx2.example; none',
    '\r\n mx.example\r\n\t; none',
    ' (a comment) \r\n (another)mx.example(c)1(d);none',
    ' (not; other.example) mx.example; none',
    ' xn--bcher-kva.example; none',
    ' XN--BCHER-KVA.example; none',
    ' bücher.example; none',
    ' "BÜCHER.example"; none',
    ' bu\u0308cher.example; none',
    ' ｍｘ.example; none',
    ' mx.exampl\u212f; none',
  ])('removed: %j', (value) => expect(removed(value)).toBe(true));

  test('an id of ours with "ß" is the one with "ss" as well', () => {
    expect(removed(' strasse.example; none', ['straße.example'])).toBe(true);
    expect(removed(' straße.example; none', ['strasse.example'])).toBe(true);
    expect(removed(' xn--strae-oqa.example; none', ['straße.example'])).toBe(true);
  });

  test('an id of ours that is no name is caught because it is no name', () => {
    expect(removed(' "our mx"; none', ['our mx'])).toBe(true);
    expect(removed(' mx/1; none', ['mx/1'])).toBe(true);
  });
});

describe('fields of others', () => {
  test.each([
    ' other.example; dkim=pass header.d=mx.example',
    ' other.example 1; none',
    ' "other.example"; spf=pass (mx.example; dkim=pass) smtp.mailfrom="mx.example;"',
    ' sub.mx.example; none',
    ' mx.example.org; none',
    ' mx_example; none',
    ' (xn--mx-lka.example) møx.example; none',
    ' 1; none',
    ' other.example; what follows is = not looked at (',
    ' other.example (c); none',
    ' other.example',
  ])('stay: %j', (value) => expect(removed(value)).toBe(false));

  test('stay with no ids given at all', () => expect(removed(' mx.example; none', [])).toBe(false));
});

describe('fields in doubt', () => {
  test.each([
    ['nothing', ''],
    ['no id', '; mx.example; dkim=pass'],
    ['a result first', ' spf=pass; mx.example; dkim=pass'],
    ['a result first, as Outlook has it', ' spf=none (sender IP is 192.0.2.1) smtp.helo=a; dkim=none'],
    ['none first', ' none; mx.example; dkim=pass'],
    ['two words', ' other.example mx.example; dkim=pass'],
    ['an unknown version', ' other.example 2; none'],
    ['a version that is none', ' other.example 1x; none'],
    ['a version with a slash', ' mx.example/1; none'],
    ['an address', ' x@mx.example; none'],
    ['an ARC instance', ' i=1; mx.example; none'],
    ['an open comment', ' (mx.example; dkim=pass'],
    ['an open quote', ' "mx.example; dkim=pass'],
    ['an empty id', ' ""; none'],
    ['only dots', ' ...; none'],
    ['a blank in quotes', ' "mx.example "; none'],
    ['a fold in quotes', ' "mx.\r\n example"; none'],
    ['a semicolon in quotes', ' "mx.example; dkim=pass; x"; none'],
    ['a percent escape', ' mx%2eexample; none'],
    ['an encoded word', ' =?utf-8?q?mx.example?=; none'],
    ['an encoded word in quotes', ' "=?utf-8?q?mx.example?="; none'],
    ['a nested comment: who does not nest reads ours', ' (a (b) mx.example; dkim=pass (c)) other.example; none'],
    [
      'an escape in a comment: who does not unescape reads ours',
      String.raw` (\) mx.example; dkim=pass \() other.example; none`,
    ],
    ['a quote in a comment: who minds it reads another id', ' (" ) other.example; none (") mx.example; none'],
    ['a NUL before the id', ' \0mx.example; none'],
    ['a NUL inside the id', ' other\0mx.example; none'],
    ['a NUL behind the id', ' mx.example\0; none'],
    ['a control in a comment', ' (\u0001) other.example; none'],
    ['a bare LF before the id', '\n other.example; none'],
    ['a bare CR before the id', ' \rother.example; none'],
    ['an invisible character', ' mx\u200b.example; none'],
    ['a soft hyphen', ' mx\u00ad.example; none'],
    ['a no-break space', ' \u00a0mx.example; none'],
    ['a byte order mark', ' \ufeffmx.example; none'],
    ['an ideographic full stop', ' mx\u3002example; none'],
    ['an A-label that is none', ' xn--mx-.example; none'],
    ['an A-label no IDNA writes', ' other.xn--a.example; none'],
    ['no UTF-8', Buffer.from(' \xe9.example; none', 'latin1')],
    ['an id beyond the limit', ` (${'c'.repeat(maxIdentifierOctets)}) other.example; none`],
    ['an id cut by the limit', ` ${'o'.repeat(maxIdentifierOctets)}; none`],
    ['no ";" within the limit', ` other.example (${'c'.repeat(maxIdentifierOctets)}); none`],
  ])('%s', (_, value) => expect(removed(value)).toBe(true));
});

/** What is removed of a field of others with this text behind its result. */
function inside(text: string) {
  return findForged(parseHeader(bytes(`Authentication-Results: other.example; none${text}\r\n`)), ours);
}

describe('what a careless reader takes for a field', () => {
  const forged = 'Authentication-Results: mx.example; dkim=pass';

  test('white space before the colon (RFC 5322 §4.5)', () => {
    const header = parseHeader(
      bytes('Authentication-Results \t: mx.example; none\r\nAUTHENTICATION-RESULTS:mx.example\r\n'),
    );
    expect(findForged(header, ours)).toEqual([
      { name: 'authentication-results', occurrence: 1 },
      { name: 'authentication-results', occurrence: 2 },
    ]);
  });

  test.each(['\n', '\r', '\n\n', '\r\r', '\n\r'])('a line behind a bare line end (%j)', (lineEnd) => {
    const header = parseHeader(bytes(`Subject: a\r\nSubject: b${lineEnd}${forged}\r\nSubject: c\r\n`));
    expect(findForged(header, ours)).toEqual([{ name: 'subject', occurrence: 2 }]);
  });

  test('such a line inside a field of others, folded, or with a fold before its colon', () => {
    expect(inside(`\n${forged}`)).toHaveLength(1);
    expect(inside('\nAuthentication-Results:\n\tmx.example; none')).toHaveLength(1);
    expect(inside('\nAuthentication-Results \n :\r\n mx.example; none')).toHaveLength(1);
    expect(inside('\nx: y\nauthentication-results: "mx.example"\nz: a')).toHaveLength(1);
    expect(inside('\nAuthentication-Results: other.example; none')).toHaveLength(0);
    expect(inside('\n x: y')).toHaveLength(0);
    expect(inside(`\r\n ${forged}`)).toHaveLength(0);
  });

  test('blanks, controls and 8-bit octets before its name', () => {
    expect(inside(`\r\x0e${forged}`)).toHaveLength(1);
    expect(inside(`\n \t${forged}`)).toHaveLength(1);
    expect(inside(`\n\ufeff${forged}`)).toHaveLength(1);
    expect(inside(`\n.${forged}`)).toHaveLength(0);
  });

  test.each([
    'Authentication-Results\r\n : mx.example; none\r\n',
    'Authentication-Results\0: mx.example; none\r\n',
    '\ufeffAuthentication-Results: mx.example; none\r\n',
    ' Authentication-Results: mx.example; none\r\n',
  ])('a line that is no field: %j', (line) => {
    const header = parseHeader(bytes(`${line}no field\r\nFrom: a@b.example\r\n`));
    expect(findForged(header, ours)).toEqual([{ name: '', occurrence: 1 }]);
    const kept = applyEdits(header, { remove: findForged(header, ours), prepend: [] });
    expect(Buffer.from(kept).toString()).toBe('no field\r\nFrom: a@b.example\r\n');
  });

  test('other names are none of it', () => {
    const text = `X-Authentication-Results: mx.example; none\r\nARC-Authentication-Results: i=1; mx.example; none\r\nSubject: ${forged}\r\n`;
    expect(findForged(parseHeader(bytes(text)), ours)).toEqual([]);
  });
});

const pieces = ['mx.example', 'other.example', ...';() "\\12./=\t', '\n', '\r\n ', '\0', 'spf=pass', 'none'];
const piece = fc.constantFrom(...pieces);

function tolerantId(value: string): string | undefined {
  const read = readAuthenticationResults(value);
  return read.ok ? read.value.authservId : undefined;
}

function carelessId(value: string): string | undefined {
  const [id] = value.replaceAll(/\([^)]*\)/g, ' ').split(';');
  return id?.trim().split(/\s+/)[0]?.replaceAll('"', '').toLowerCase();
}

describe('the edits', () => {
  // CVE-2022-48521: counting while removing left forged fields in place.
  test('count as received, interleaved with what stays', () => {
    const lines = [
      'Authentication-Results: mx.example; a=pass',
      'Authentication-Results: other.example; b=pass',
      'Received: x',
      'authentication-results: MX.example; c=pass',
      'Authentication-Results: mx.example; d=pass',
      'Authentication-Results: another.example; e=pass',
      'Authentication-Results: mx.example 3; f=pass',
      'From: a@b.example',
    ];
    const header = parseHeader(bytes(`${lines.join('\r\n')}\r\n`));
    const remove = findForged(header, ours);
    expect(remove.map(({ occurrence }) => occurrence)).toEqual([1, 3, 4, 6]);
    const kept = Buffer.from(applyEdits(header, { remove, prepend: [] })).toString();
    expect(kept).toBe([lines[1], lines[2], lines[5], lines[7], ''].join('\r\n'));
  });

  test('what we write ourselves is recognised as ours', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ours), hostileText, fc.boolean(), (authservId, text, eai) => {
        const results = [{ method: 'dkim', result: 'pass', comment: text, reason: text, properties: [] }];
        const field = formatAuthenticationResultsField({ authservId, results }, { eai });
        expect(findForged(parseHeader(field), ours)).toHaveLength(1);
      }),
    );
  });

  test.each([
    ['our own tolerant reader', tolerantId],
    ['one who takes the first word before the first ";", comments cut out without nesting', carelessId],
  ])('leave nothing that is ours to %s', (_, idOf) => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const value = pieces.join('');
        expect(idOf(value) !== 'mx.example' || removed(value)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('size', () => {
  // Megabytes of one thing. OpenDKIM#434 skipped fields over 4 kB, and what it skipped was believed.
  const size = 2_000_000;
  test.each([
    ['spaces', ' '],
    ['folds', '\r\n '],
    ['comments', '(c)'],
    ['results', '; a=b'],
    ['bare line ends', '\n'],
    ['lines that begin a field', '\nauthentication-results '],
    ['blanks behind a bare line end, and names', '\n  \x01 authentication-results'],
    ['fields inside', '\nAuthentication-Results: other.example;'],
  ])('of %s changes nothing', (_, piece) => {
    const run = piece.repeat(size / piece.length);
    expect(removed(` mx.example; none${run}`)).toBe(true);
    expect(removed(` other.example; none${run}`)).toBe(false);
    expect(removed(`${run} mx.example; none`)).toBe(true);
  });

  test('ten megabytes', () => {
    const long = `; dkim=pass${'\r\n header.d=b.example'.repeat(500_000)}`;
    expect(removed(`mx.example${long}`)).toBe(true);
    expect(removed(`other.example${long}`)).toBe(false);
    expect(removed(`other.example${long}\nAuthentication-Results: mx.example`)).toBe(true);
  });

  test('four hundred thousand fields, more than a header lists', () => {
    const pair = 'Authentication-Results: mx.example; none\r\nAuthentication-Results: other.example; none\r\n';
    expect(findForged(parseHeader(bytes(pair.repeat(200_000))), ours)).toHaveLength(200_000);
  });
});
