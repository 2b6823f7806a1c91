import { isDeepStrictEqual } from 'node:util';
import {
  formatAuthenticationResults,
  formatAuthenticationResultsField,
  parseAuthenticationResults,
  readAuthenticationResults,
} from '@zegel/auth-results';
import type { AuthenticationResults } from '@zegel/auth-results';
import { fieldValue, parseHeader } from '@zegel/message';
import { loadConformance } from '@zegel/test-harness';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';

interface Suite {
  readonly cases: readonly { readonly value: string }[];
}

export const authResultsTokens: readonly string[] = [
  ...'mx.example|mx.example; |; |;|none|dkim=pass|spf=fail|dmarc=none|arc=pass|reason=|"a b"| 1| 2'.split('|'),
  ...'header.d=|header.i=@|smtp.mailfrom=|policy.x=|dkim/1=|(comment)|(a (b) c)|(|)|\\|"|=|.|/|@|\r\n '.split('|'),
  ...'\r\n\t|\r\n|\n|\r|\t| |i=1; |i=51;|Authentication-Results: |ARC-| :|\0|\x7f|\u00c3\u00bc'.split('|'),
  ...'\u00e2\u0080\u008b|\u00ff|xn--|=?utf-8?q?|%41'.split('|'),
];

/** @zegel/auth-results: the strict and the tolerant reader, and the writer. The input is the body of a field. */
export const authResults: FuzzTarget = {
  name: 'auth-results',
  covers: ['auth-results'],
  tokens: authResultsTokens,
  seeds: () => loadConformance<Suite>('authres/cases.json').cases.map(({ value }) => Buffer.from(value)),
  run: async (input) => {
    const text = input.toString('utf8');
    const words: string[] = [];
    for (const arc of [false, true]) {
      for (const eai of [false, true]) {
        const strict = parseAuthenticationResults(text, { arc, eai });
        words.push(strict.ok ? 'strict' : strict.code);
        if (strict.ok) checkWriter(strict.value, eai);
      }
    }
    const strict = parseAuthenticationResults(text, { eai: true });
    const tolerant = readAuthenticationResults(text);
    must(
      !strict.ok || isDeepStrictEqual(strict, tolerant),
      'the tolerant reader reads something else than the strict one',
    );
    if (!tolerant.ok) return [...words, `tolerant ${tolerant.code}`];
    for (const eai of [false, true]) checkWriter(tolerant.value, eai);
    // The values of one field make hostile texts for another.
    const hostile = {
      authservId: text,
      results: [{ method: text, result: text, reason: text, comment: text, properties: [] }],
    };
    checkWriter(hostile, input.length % 2 === 0);
    return [...words, `tolerant-${Math.min(tolerant.value.results.length, 4)}`];
  },
};

/** What is written is one field, and parses to what, written again, is the same. */
function checkWriter(value: AuthenticationResults, eai: boolean): void {
  const arc = value.instance !== undefined && value.instance >= 1 && value.instance <= 50;
  const written = formatAuthenticationResults(value, { eai });
  const read = parseAuthenticationResults(written, { eai, arc });
  must(read.ok, `what was written does not parse: ${read.ok ? '' : read.code}`);
  const again = parseAuthenticationResults(formatAuthenticationResults(read.value, { eai }), { eai, arc });
  must(again.ok && isDeepStrictEqual(again.value, read.value), 'written and read a second time it is something else');
  const header = parseHeader(formatAuthenticationResultsField(value, { eai }));
  const [field] = header.fields;
  must(header.fields.length === 1 && field !== undefined, 'a field that is not one');
  must(field.name.endsWith('authentication-results'), 'a field of another name');
  const fromField = parseAuthenticationResults(fieldValue(header, field), { eai, arc });
  must(fromField.ok && isDeepStrictEqual(fromField.value, read.value), 'the field says something else than its body');
  for (const line of Buffer.from(header.bytes).toString('latin1').split('\r\n')) {
    must(line.length <= 998 && !/[\r\n\0]/.test(line), 'a line that is too long or broken');
  }
}
