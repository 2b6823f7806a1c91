import { parseAuthenticationResults } from '@zegel/auth-results';
import { editMessage, parseMessage } from '@zegel/message';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authenticationReportSchema } from '../src/index.ts';
import type { AuthenticationContext } from '../src/index.ts';
import { bytesOf, check, session, signed } from './ground.ts';

const text = (...words: string[]) =>
  fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((parts) => parts.join(''));
const odd = text(
  'a',
  '@',
  '.',
  'example.com',
  'attack.test',
  ' ',
  '"',
  '(',
  ')',
  ';',
  '=',
  'dmarc=pass',
  '\r\n',
  '\n',
  '\0',
  'é',
  '\u2028',
  '\\',
  '<',
  '>',
);

const context: fc.Arbitrary<AuthenticationContext> = fc.record(
  {
    session: fc.record(
      { ip: fc.constantFrom('192.0.2.1', '192.0.2.66', '2001:db8::1'), helo: odd },
      { requiredKeys: [] },
    ),
    envelope: fc.record({ mailFrom: odd }, { requiredKeys: [] }),
    lineEndsNormalized: fc.boolean(),
  },
  { requiredKeys: [] },
);

const tags = text(
  'v=1;',
  'a=rsa-sha256;',
  'a=ed25519-sha256;',
  'd=example.com;',
  'd=attack.test;',
  's=s;',
  'h=from;',
  'bh=AAAA;',
  'b=AAAA;',
  'b="dmarc=pass;',
  'i=dmarc=pass@example.com;',
  'l=0;',
  't=1;',
  'x=9;',
  'é',
  ';',
  '(',
);
const line = fc.oneof(
  fc.constantFrom(
    'From: Ann <ann@example.com>\r\n',
    'From: a@attack.test, b@example.com\r\n',
    ' dmarc=pass\r\n',
    'junk\r\n',
    '\tx\r\n',
    'To: a\r\nTo: b\r\n',
    'X: a\nFrom: b\r\n',
    'Authentication-Results: mx.example.net; dmarc=pass\r\n',
  ),
  tags.map((list) => `DKIM-Signature: ${list}\r\n`),
  odd.map((value) => `From: ${value.replaceAll(/[\r\n]/g, '')}\r\n`),
);
const message = fc
  .tuple(fc.array(line, { maxLength: 6 }), fc.constantFrom('', '\r\n', '\r\nbody\r\n', '\r\nbody\nx'))
  .map(([lines, body]) => lines.join('') + body);

describe('any report', () => {
  it('has the one shape, survives JSON, and its Authentication-Results is strict, one field, and no pass that is none', async () => {
    await fc.assert(
      fc.asyncProperty(message, context, async (raw, known) => {
        const { report, edits } = await check(raw, { context: known });
        expect(authenticationReportSchema.parse(report)).toStrictEqual(report);
        expect(JSON.parse(JSON.stringify(report))).toStrictEqual(report);

        const parsed = parseAuthenticationResults(report.authenticationResults);
        const results = parsed.ok ? parsed.value.results : [];
        expect(results.filter(({ method }) => method === 'dmarc').map(({ result }) => result)).toEqual([
          report.dmarc.result,
        ]);
        expect(results.filter(({ method }) => method === 'dkim')).toHaveLength(report.dkim.length);
        expect(/dmarc\s*=\s*pass/i.test(report.authenticationResults)).toBe(report.dmarc.result === 'pass');

        const before = parseMessage(bytesOf(raw)).header.fields.length;
        const after = parseMessage(editMessage(bytesOf(raw), edits)).header;
        expect(after.fields).toHaveLength(before - edits.remove.length + 1);
        expect(after.fields[0]).toMatchObject({ name: 'authentication-results', end: edits.prepend[0]?.length });
        for (const { explanation, advice = '' } of [...report.dkim, report.dmarc, ...report.notices]) {
          expect(explanation + advice).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is the same for the same input: nothing in it depends on when or where', async () => {
    const raw = await signed();
    const known = { session, envelope: { mailFrom: 'ann@example.com' } };
    expect(await check(raw, { context: known })).toStrictEqual(await check(raw, { context: known }));
  });
});
