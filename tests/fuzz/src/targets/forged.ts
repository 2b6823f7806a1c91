import { findForged } from '@zegel/auth-results';
import { applyEdits, parseHeader } from '@zegel/message';
import { loadConformance } from '@zegel/test-harness';
import { carelessFields, carelessLineEnds } from '../careless.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { authResultsTokens } from './auth-results.ts';

const own = 'mx.example';

/** findForged: what stays of a header says nothing in our name, not even to a careless reader. */
export const forged: FuzzTarget = {
  name: 'forged',
  covers: ['auth-results'],
  tokens: [
    ...authResultsTokens,
    'Subject: x',
    'MX.EXAMPLE.',
    '"mx.example"',
    'mx\\.example',
    ' \r\n',
    'authentication-results',
  ],
  seeds: () => {
    const { cases } = loadConformance<{ readonly cases: readonly { readonly value: string }[] }>('authres/cases.json');
    const values = cases.map(({ value }) => value);
    const ours = [' mx.example; dkim=pass', ' (c) "mx.example" 1; none', ' other.example; none', ' MX.example.;none'];
    return [...ours, ...values].map((value) =>
      Buffer.from(`Received: x\r\nAuthentication-Results:${value}\r\nSubject: a\r\n b\r\n`),
    );
  },
  run: async (input) => {
    const header = parseHeader(input);
    const remove = findForged(header, [own]);
    const left = applyEdits(header, { remove, prepend: [] });
    must(findForged(parseHeader(left), [own]).length === 0, 'something forged is left after the removal');
    const text = Buffer.from(left).toString('latin1');
    for (const lineEnd of carelessLineEnds) {
      for (const id of idsSeen(text, lineEnd)) must(id !== own, 'a careless reader sees our name');
    }
    return [`removed-${Math.min(remove.length, 3)}`, remove.some(({ name }) => name === '') ? 'line' : 'field'];
  },
};

/** The authserv-ids that readers of several habits see. */
function idsSeen(text: string, lineEnd: RegExp): readonly string[] {
  return carelessFields(text, lineEnd, 'authentication-results').flatMap((value) => {
    const readings = [value, withoutComments(value, 1), withoutComments(value, Infinity)];
    return readings.map((rest) => {
      const word = /^[ \t\r\n]*("(?:[^"\\]|\\.)*"|[^;\s"]*)/s.exec(rest)?.[1] ?? '';
      const unquoted = word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : word;
      return unquoted.toLowerCase().replace(/\.{1,3}$/, '');
    });
  });
}

/** Without comments, as a reader sees them who follows nesting to some depth. */
function withoutComments(value: string, maxDepth: number): string {
  let depth = 0;
  let rest = '';
  for (let at = 0; at < value.length; at++) {
    const character = value[at] ?? '';
    if (character === '(') depth = Math.min(depth + 1, maxDepth);
    else if (character === ')' && depth > 0) depth--;
    else if (character === '\\' && depth > 0) at++;
    else if (depth === 0) rest += character;
  }
  return rest;
}
