import { loadConformance } from '@zegel/test-harness';
import { describe, expect, test } from 'vitest';
import { parseAuthenticationResults, readAuthenticationResults } from '../src/index.ts';
import type { ParseResult } from '../src/index.ts';

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

function read({ value, mode, eai = false, arc = false }: Case): ParseResult {
  return mode === 'strict' ? parseAuthenticationResults(value, { eai, arc }) : readAuthenticationResults(value);
}

/** What we read, in the shape of the case and without what the case says nothing about. Null when we refuse. */
function readInShapeOf(entry: Case) {
  const answer = read(entry);
  if (!answer.ok) return null;
  const { authservId, version = 1, instance, results } = answer.value;
  return {
    authservId,
    ...(entry.expect?.version === undefined ? {} : { version }),
    ...(entry.expect?.instance === undefined ? {} : { instance }),
    results: results.map(({ properties, comment, methodVersion, ...result }, index) => ({
      ...result,
      ...(entry.expect?.results[index]?.comment === undefined ? {} : { comment }),
      ...(entry.expect?.results[index]?.methodVersion === undefined ? {} : { methodVersion }),
      props: properties,
    })),
  };
}

test('every case is there, and every exception names one', () => {
  expect(cases).toHaveLength(181);
  expect(cases.filter(({ id }) => decidedByGrammar.has(id))).toHaveLength(decidedByGrammar.size);
});

/** The three parts of the suite; a case of the tolerant reader says what it reads. */
const parts: Readonly<Record<string, (entry: Case) => boolean>> = {
  'strict, accept': ({ mode, expect: expected }) => mode === 'strict' && expected !== null,
  'strict, reject': ({ mode, expect: expected }) => mode === 'strict' && expected === null,
  lenient: ({ mode }) => mode === 'lenient',
};

describe.each(Object.entries(parts))('Authentication-Results as others test it: %s', (_part, isPart) => {
  const own = cases.filter(isPart).map((entry) => ({ entry, decision: decidedByGrammar.get(entry.id) }));
  for (const { entry } of own.filter(({ decision }) => decision === undefined)) {
    test(`${entry.id} ${entry.title ?? ''}`, () => {
      const expected = entry.expect && { ...entry.expect, authservId: entry.expect.authservId ?? '' };
      expect(readInShapeOf(entry)).toEqual(expected);
    });
  }
  for (const { entry, decision } of own.filter((each) => each.decision !== undefined)) {
    test(`${entry.id} (against the suite; RFC 8601 §2.2 ${decision?.rule})`, () => {
      expect(read(entry).ok).toBe(decision?.accepted);
      expect(entry.expect !== null).not.toBe(decision?.accepted);
    });
  }
});
