import { describe, expect, test } from 'vitest';
import {
  authResultsTexts,
  expectationTexts,
  parseAuthenticationResults,
  readAuthenticationResults,
} from '../src/index.ts';
import type { AuthResultsCode, Expectation, ParseResult } from '../src/index.ts';

const strict = (field: string, options = {}): ParseResult => parseAuthenticationResults(field, options);

const codes: Readonly<Record<AuthResultsCode, () => ParseResult>> = {
  'auth-results.too-long': () => strict(`a; none${' '.repeat(65_536)}`),
  'auth-results.control-character': () => strict('a;\u0000 none'),
  'auth-results.non-ascii': () => strict('"é"; none'),
  'auth-results.syntax': () => strict('a'),
  'auth-results.unsupported-version': () => strict('a 2; none'),
  'auth-results.comment-too-deep': () => strict(`${'('.repeat(51)}${')'.repeat(51)}a; none`),
  'auth-results.too-many-results': () => strict(`a${'; b=c'.repeat(101)}`),
  'auth-results.too-many-properties': () => strict(`a; b=c${' d.e=f'.repeat(51)}`),
};

const arc = { arc: true };
const expectations: Readonly<Record<Expectation, () => ParseResult>> = {
  field: () => readAuthenticationResults(''),
  'authserv-id': () => strict('; none'),
  'instance-tag': () => strict('a; none', arc),
  'instance-equals': () => strict('i; none', arc),
  instance: () => strict('i=51; a; none', arc),
  'instance-end': () => strict('i=1 a; none', arc),
  'first-result': () => strict('a'),
  method: () => strict('a;'),
  'method-equals': () => strict('a; b'),
  result: () => strict('a; b='),
  'method-version': () => strict('a; b/x=c'),
  gap: () => strict('a; b=c"d"'),
  property: () => strict('a; b=c ='),
  'property-type': () => strict('a; b=c d=e'),
  'reason-equals': () => strict('a; b=c reason'),
  reason: () => strict('a; b=c reason='),
  'property-name': () => strict('a; b=c d.=e'),
  'property-equals': () => strict('a; b=c d.e'),
  'local-part': () => strict('a; b=c d.e=.f@g.example'),
  'domain-name': () => strict('a; b=c d.e=f@g'),
  'property-value': () => strict('a; b=c d.e='),
  'comment-end': () => strict('(a; none'),
  'quote-end': () => strict('"a; none'),
  'quoted-character': () => strict('"\\'),
};

describe('every code', () => {
  test.each(Object.entries(codes))('%s is reached, and its words are filled in', (code, run) => {
    const read = run();
    expect(read).toMatchObject({ ok: false, code });
    expect(read.ok ? '' : read.explanation).toMatch(/^[^{}?]+\.$/);
  });

  test('has a way to it here', () => expect(Object.keys(codes)).toEqual(Object.keys(authResultsTexts)));
});

describe('every expectation', () => {
  test.each(Object.entries(expectations))('%s is reached', (expected, run) => {
    const read = run();
    expect(read).toMatchObject({ ok: false, code: 'auth-results.syntax', expected });
  });

  test('has a way to it here', () => expect(Object.keys(expectations)).toEqual(Object.keys(expectationTexts)));
});
