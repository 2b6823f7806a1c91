import { loadConformance } from '@zegel/test-harness';
import { describe, expect, test } from 'vitest';
import { parseAuthenticationResults, readAuthenticationResults } from '../src/index.ts';
import type { AuthenticationResults } from '../src/index.ts';

interface ExpectedResult {
  method: string;
  methodVersion?: number;
  result: string;
  reason?: string;
  comment?: string;
  props: { ptype: string; property: string; value: string }[];
}

interface Case {
  id: string;
  title?: string;
  value: string;
  mode: 'strict' | 'lenient';
  eai?: boolean;
  arc?: boolean;
  expect: null | { authservId?: string; version?: number; instance?: number; results: ExpectedResult[] };
}

const { cases } = loadConformance<{ cases: Case[] }>('authres/cases.json');

/** Cases where the upstream project and the grammar of RFC 8601 §2.2 part: what the grammar says, and which rule. */
const anyKeyword = 'result = Keyword: which words are registered for a method is no matter of the grammar, nor is case';
const decidedByGrammar = new Map([
  ['lieser/036', { accepted: true, rule: anyKeyword }],
  ['lieser/037', { accepted: true, rule: anyKeyword }],
  ['lieser/038', { accepted: true, rule: anyKeyword }],
  ['lieser/039', { accepted: true, rule: anyKeyword }],
  ['lieser/040', { accepted: true, rule: anyKeyword }],
  ['lieser/041', { accepted: true, rule: anyKeyword }],
  ['lieser/042', { accepted: true, rule: anyKeyword }],
  [
    'mimekit/TestParseAuthServIdWithVersion',
    { accepted: false, rule: 'authres-payload: ( no-result / 1*resinfo ) is not optional' },
  ],
]);

/** Our value in the shape of the case, without what the case says nothing about. */
function inShapeOf(value: AuthenticationResults, expected: NonNullable<Case['expect']>) {
  return {
    authservId: value.authservId,
    ...(expected.version === undefined ? {} : { version: value.version ?? 1 }),
    ...(expected.instance === undefined ? {} : { instance: value.instance }),
    results: value.results.map((result, index) => ({
      method: result.method,
      ...(expected.results[index]?.methodVersion === undefined ? {} : { methodVersion: result.methodVersion }),
      result: result.result,
      ...(result.reason === undefined ? {} : { reason: result.reason }),
      ...(expected.results[index]?.comment === undefined ? {} : { comment: result.comment }),
      props: result.properties,
    })),
  };
}

test('every case is there, and every named exception is one', () => {
  expect(cases).toHaveLength(181);
  for (const id of decidedByGrammar.keys()) expect(cases.map((entry) => entry.id)).toContain(id);
});

describe.each(['strict', 'lenient'] as const)('Authentication-Results as others test it: %s', (mode) => {
  test.each(cases.filter((entry) => entry.mode === mode).map((entry) => [`${entry.id} ${entry.title ?? ''}`, entry]))(
    '%s',
    (_, { id, value, eai = false, arc = false, expect: expected }) => {
      const read =
        mode === 'strict' ? parseAuthenticationResults(value, { eai, arc }) : readAuthenticationResults(value);
      const decided = decidedByGrammar.get(id);
      if (decided !== undefined) {
        expect(decided.accepted, 'an exception must differ from the case').toBe(expected === null);
        expect(read.ok, decided.rule).toBe(decided.accepted);
      } else if (expected === null) {
        expect(read.ok).toBe(false);
      } else {
        if (!read.ok) expect.fail(read.explanation);
        expect(inShapeOf(read.value, expected)).toEqual({ ...expected, authservId: expected.authservId ?? '' });
      }
    },
  );
});
