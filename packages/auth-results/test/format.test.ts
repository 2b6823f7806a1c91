import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHeader } from '@zegel/message';
import {
  formatAuthenticationResults,
  formatAuthenticationResultsField,
  formatLimits,
  parseAuthenticationResults,
  readAuthenticationResults,
} from '../src/index.ts';
import type { AuthenticationResults, FormatOptions, MethodResult } from '../src/index.ts';
import { hostileText } from './hostile.ts';

/** A field with one result. */
function withResult(result: Partial<MethodResult>): AuthenticationResults {
  return { authservId: 'mx.example', results: [{ method: 'dkim', result: 'pass', properties: [], ...result }] };
}

/** A field with one property. */
function withValue(value: string): AuthenticationResults {
  return withResult({ properties: [{ ptype: 'header', property: 'd', value }] });
}

/** What a written value comes back as. */
function roundTrip(value: AuthenticationResults, options: FormatOptions = {}): AuthenticationResults {
  const body = formatAuthenticationResults(value, options);
  const read = parseAuthenticationResults(body, { ...options, arc: value.instance !== undefined });
  if (!read.ok) throw new Error(`${read.explanation} ${JSON.stringify(body)}`);
  return read.value;
}

/** The value of the one property after a round trip. */
function valueBack(value: string, options?: FormatOptions) {
  return roundTrip(withValue(value), options).results[0]?.properties[0]?.value;
}

describe('RFC 8601 §2.2 as we write it', () => {
  test('a whole field', () => {
    const field = formatAuthenticationResultsField({
      authservId: 'mx.example',
      results: [
        {
          method: 'dkim',
          result: 'pass',
          comment: 'the signature is good',
          properties: [
            { ptype: 'header', property: 'd', value: 'news.example' },
            { ptype: 'header', property: 's', value: 'july' },
            { ptype: 'header', property: 'a', value: 'rsa-sha256' },
            { ptype: 'header', property: 'b', value: 'gfT/i2HB' },
          ],
        },
        {
          method: 'spf',
          result: 'fail',
          reason: 'not listed',
          properties: [{ ptype: 'smtp', property: 'mailfrom', value: 'news@news.example' }],
        },
      ],
    });
    expect(Buffer.from(field).toString()).toBe(
      [
        'Authentication-Results: mx.example;',
        '\tdkim=pass (the signature is good) header.d=news.example header.s=july',
        '\theader.a=rsa-sha256 header.b="gfT/i2HB";',
        '\tspf=fail reason="not listed" smtp.mailfrom=news@news.example',
        '',
      ].join('\r\n'),
    );
  });

  test('no results are none', () => {
    expect(formatAuthenticationResults({ authservId: 'mx.example', version: 1, results: [] })).toBe(
      'mx.example 1; none',
    );
  });

  test('an instance makes it an ARC field (RFC 8617 §4.1.1)', () => {
    const field = formatAuthenticationResultsField({ instance: 2, authservId: 'mx.example', results: [] });
    expect(Buffer.from(field).toString()).toBe('ARC-Authentication-Results: i=2; mx.example; none\r\n');
  });

  test.each([
    ['news.example', 'news.example'],
    ['@news.example', '@news.example'],
    ['a.b+c@news.example', 'a.b+c@news.example'],
    ['a=b@news.example', '"a=b@news.example"'],
    ['a@localhost', '"a@localhost"'],
    ['2001:db8::1', '"2001:db8::1"'],
    ['', '""'],
    ['a"b\\c', String.raw`"a\"b\\c"`],
  ])('%j is written %s', (value, written) => {
    expect(formatAuthenticationResults(withValue(value))).toBe(`mx.example;\r\n\tdkim=pass header.d=${written}`);
  });

  test('a comment folds at its spaces and is read back whole', () => {
    const comment = 'word '.repeat(40).trim();
    const body = formatAuthenticationResults(withResult({ comment }));
    expect(body.split('\r\n').length).toBeGreaterThan(3);
    expect(roundTrip(withResult({ comment }))).toEqual(withResult({ comment }));
  });
});

describe('header injection (CVE-2020-12272 and its kin)', () => {
  test.each([
    'x\r\nSubject: forged',
    'x\nAuthentication-Results: mx.example; dmarc=pass',
    'x\rY: z',
    'x\0y',
    'evil.example; dmarc=pass',
    'evil.example (',
    'evil.example) dmarc=pass (',
    '"; dmarc=pass header.from="',
    '\\',
    '\\"; dmarc=pass',
  ])('%j stays inside its place', (text) => {
    const place = {
      authservId: text,
      results: [
        {
          method: text,
          result: text,
          reason: text,
          comment: text,
          properties: [{ ptype: text, property: text, value: text }],
        },
      ],
    };
    const field = formatAuthenticationResultsField(place);
    expect(parseHeader(field).fields).toHaveLength(1);
    expect(field.filter((octet) => octet < 0x20 && ![0x09, 0x0a, 0x0d].includes(octet))).toHaveLength(0);
    const back = roundTrip(place);
    expect(back.results).toHaveLength(1);
    expect(back.results[0]?.properties).toHaveLength(1);
  });
});

describe('what cannot be written', () => {
  test('controls become "?" in values and spaces in comments', () => {
    expect(valueBack('a\r\n\0\u007fb')).toBe('a????b');
    expect(valueBack('a\tb')).toBe('a\tb');
    expect(roundTrip(withResult({ comment: '\r\n a\0\tb \u0007' })).results[0]?.comment).toBe('a b');
    expect(roundTrip(withResult({ comment: '\r\n\t ' }))).toEqual(withResult({}));
  });

  test('so does what misleads the eye or is no character', () => {
    expect(valueBack('a\u202eb\u2028c\ud800d\ufffd', { eai: true })).toBe('a?b?c?d?');
  });

  test('names that are no keywords are made ones', () => {
    const back = roundTrip({
      authservId: 'a',
      results: [{ method: 'X y.z-', result: '', properties: [{ ptype: '--', property: 'É', value: 'v' }] }],
    });
    expect(back.results).toEqual([
      { method: 'x-y-z', result: 'unknown', properties: [{ ptype: 'unknown', property: 'unknown', value: 'v' }] },
    ]);
  });

  test('versions and instances out of range are left out', () => {
    expect(roundTrip(withResult({ methodVersion: -1 }))).toEqual(withResult({}));
    expect(roundTrip(withResult({ methodVersion: 1.5 }))).toEqual(withResult({}));
    expect(formatAuthenticationResults({ instance: 51, authservId: 'a', results: [] })).toBe('a; none');
  });

  test('a long text is cut and says so', () => {
    expect(valueBack('a'.repeat(400))).toBe('a'.repeat(400));
    expect(valueBack('a'.repeat(401))).toBe(`${'a'.repeat(397)}...`);
    expect(valueBack('é'.repeat(300), { eai: true })).toBe(`${'é'.repeat(198)}...`);
  });

  test('results that do not fit are left out from the end', () => {
    const many = {
      authservId: 'a',
      results: Array.from({ length: 101 }, (_, n) => ({ ...withResult({}).results[0]!, methodVersion: n })),
    };
    expect(roundTrip(many).results).toEqual(many.results.slice(0, 100));
    const properties = Array.from({ length: 60 }, () => ({ ptype: 'header', property: 'd', value: '"'.repeat(400) }));
    const heavy = {
      authservId: 'a',
      results: [withResult({ properties }).results[0]!, withResult({ properties }).results[0]!],
    };
    expect(roundTrip(heavy).results.map((result) => result.properties.length)).toEqual([50]);
  });
});

describe('RFC 8616 UTF-8', () => {
  test('stays in an SMTPUTF8 message', () => {
    expect(valueBack('postmästare@bücher.example', { eai: true })).toBe('postmästare@bücher.example');
    expect(roundTrip({ authservId: 'møx.example', results: [] }, { eai: true }).authservId).toBe('møx.example');
  });

  test('is written as A-labels, or "?", elsewhere', () => {
    expect(roundTrip({ authservId: 'MØX.example', results: [] }).authservId).toBe('xn--mx-lka.example');
    expect(valueBack('bücher.example')).toBe('xn--bcher-kva.example');
    expect(valueBack('x@bücher.example')).toBe('x@xn--bcher-kva.example');
    expect(valueBack('ü@bücher.example')).toBe('?@xn--bcher-kva.example');
    expect(valueBack('ü:b/c')).toBe('?:b/c');
    expect(valueBack('Grüße')).toBe('Gr??e');
    expect(valueBack('a／b.example')).toBe('a?b.example');
    expect(roundTrip(withResult({ comment: 'ü', reason: '😀' })).results[0]).toMatchObject({
      comment: '?',
      reason: '?',
    });
  });
});

const keyword = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}[a-z0-9]$/);

/** A field of any texts; keywords are well formed when `names` says so. */
function fields(names: fc.Arbitrary<string>, text: fc.Arbitrary<string>) {
  const property = fc.record({ ptype: names, property: names, value: text });
  const result = fc.record(
    {
      method: names,
      methodVersion: fc.nat(),
      result: names,
      reason: text,
      comment: text,
      properties: fc.array(property, { maxLength: 6 }),
    },
    { requiredKeys: ['method', 'result', 'properties'] },
  );
  return fc.record(
    {
      instance: fc.integer({ min: 1, max: 50 }),
      authservId: text,
      version: fc.constant(1 as const),
      results: fc.array(result, { maxLength: 6 }),
    },
    { requiredKeys: ['authservId', 'results'] },
  );
}

/** Whether a line is over its width and has a blank to fold at: inside a quoted string there is none. */
function couldBeFolded(line: string): boolean {
  return line.length > formatLimits.foldWidth && /^\t.*[ \t]/u.test(line.replaceAll(/"(?:[^"\\]|\\.)*"/gu, '""'));
}

describe('any value', () => {
  test('is written as one field of short US-ASCII lines that the strict parser reads', () => {
    fc.assert(
      fc.property(fields(fc.oneof(keyword, hostileText), hostileText), fc.boolean(), (value, eai) => {
        const field = formatAuthenticationResultsField(value, { eai });
        expect(parseHeader(field).fields).toHaveLength(1);
        const text = Buffer.from(field).toString();
        expect(text.endsWith('\r\n')).toBe(true);
        const lines = text.slice(0, -2).split('\r\n');
        const writable = eai ? /^\t?[^\p{Cc}\ufffd](?:\t|[^\p{Cc}\p{Cs}])*$/u : /^\t?[!-~][ -~\t]*$/;
        expect(lines.filter((line) => !writable.test(line))).toEqual([]);
        expect(lines.filter((line) => Buffer.byteLength(line) > 998)).toEqual([]);
        expect(lines.filter(couldBeFolded)).toEqual([]);
        const back = roundTrip(value, { eai });
        expect(back.results).toHaveLength(value.results.length);
      }),
      { numRuns: 500 },
    );
  });

  test('written, read and written again is the same', () => {
    fc.assert(
      fc.property(fields(fc.oneof(keyword, hostileText), hostileText), fc.boolean(), (value, eai) => {
        const once = roundTrip(value, { eai });
        expect(roundTrip(once, { eai })).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  test('that can be written comes back as it was, from the strict parser and the tolerant reader', () => {
    const printable = fc.string({ unit: fc.constantFrom(...' !"()\\;=@./-<>,:[]?{}\taZ9'), maxLength: 80 });
    fc.assert(
      fc.property(fields(keyword, printable), (value) => {
        const expected = {
          ...value,
          results: value.results.map(({ comment = '', ...result }) => {
            const text = comment.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '');
            return text === '' ? result : { ...result, comment: text };
          }),
        };
        expect(roundTrip(value)).toEqual(expected);
        expect(readAuthenticationResults(formatAuthenticationResults(value))).toEqual({ ok: true, value: expected });
      }),
      { numRuns: 500 },
    );
  });
});
