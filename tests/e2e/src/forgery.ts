/** Mail that comes in with Authentication-Results already in it: some claim to be ours, one is somebody else's. */
import { fieldBytes, fieldValue, parseMessage } from '@zegel/message';
import { findForged, parseAuthenticationResults } from '@zegel/auth-results';
import { expect } from 'vitest';

/** The name our service writes under, and another one that is ours too. */
export const ourNames = { authservId: 'mx.zegel.test', other: 'inner.zegel.test' } as const;

const forged = [
  'Authentication-Results: mx.zegel.test; dkim=pass header.d=bank.example\r\n',
  'authentication-results : (checked)\r\n\tMX.Zegel.Test 1;\r\n\tspf=pass smtp.mailfrom=bank.example;\r\n\tdmarc=pass\r\n',
  'AUTHENTICATION-RESULTS:"inner.zegel.test"; dkim=pass; arc=pass\r\n',
];

const foreign = 'Authentication-Results: mx.elsewhere.example; dkim=pass header.d=example.test\r\n';

export interface TamperedMessage {
  readonly raw: Buffer;
  /** The same bytes without the three fields that claim to be ours. */
  readonly expected: Buffer;
}

/** Spreads three forged fields and a foreign one over the header of a signed message; none of them is signed. */
export function tamperWith(signed: Uint8Array): TamperedMessage {
  const { header, body } = parseMessage(signed);
  const fields = header.fields.map((field) => Buffer.from(fieldBytes(header, field)));
  const middle = Math.floor(fields.length / 2);
  const assemble = (lies: readonly string[]) =>
    Buffer.concat([
      Buffer.from(lies[0] ?? ''),
      ...fields.slice(0, middle),
      Buffer.from(lies[1] ?? ''),
      Buffer.from(foreign),
      ...fields.slice(middle),
      Buffer.from(lies[2] ?? ''),
      Buffer.from('\r\n'),
      body,
    ]);
  return { raw: assemble(forged), expected: assemble([]) };
}

/**
 * What issue and standard ask of a stored result (RFC 8601 §5): one Authentication-Results of ours, on top, that says
 * what was found; everything below it byte for byte what came in, without the forged ones.
 */
export function expectVerified(result: Buffer, expected: Buffer): void {
  const { header } = parseMessage(result);
  const [top] = header.fields;
  expect(top?.name).toBe('authentication-results');
  expect(result.subarray(top?.end).equals(expected), 'what stands below our field').toBe(true);
  expect(findForged(header, Object.values(ourNames))).toEqual([{ name: 'authentication-results', occurrence: 1 }]);

  const read = parseAuthenticationResults(fieldValue(header, top!));
  expect(read).toMatchObject({ ok: true, value: { authservId: ourNames.authservId } });
  const results = read.ok ? read.value.results.map(({ method, result: word }) => `${method}=${word}`) : [];
  expect(results.filter((one) => one.startsWith('dkim='))).toEqual(['dkim=pass', 'dkim=pass']);
  expect(results).toContain('spf=pass');
}
