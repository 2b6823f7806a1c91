import { isDeepStrictEqual } from 'node:util';
import { findForged, parseAuthenticationResults } from '@zegel/auth-results';
import { authenticate, authenticationReportSchema } from '@zegel/authentication';
import { editMessage, parseHeader, parseMessage } from '@zegel/message';
import { parseClientIp } from '@zegel/spf';
import { dkimMessages, wholeMessages } from '../conformance-messages.ts';
import type { SeedMessage } from '../conformance-messages.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { joinInput, relevant, splitInput, toText, zoneLines, zoneOf } from '../zone-lines.ts';
import { dkimVerify } from './dkim-verify.ts';
import { forged } from './forged.ts';
import { cut, message } from './message.ts';

const authservId = 'mx.example';
const now = new Date('2026-11-24T00:00:00Z');

/** authenticate(): the whole of it. The input is three lines (ip, helo, mail from), a zone and a message. */
export const authenticateWhole: FuzzTarget = {
  name: 'authenticate',
  covers: ['authentication', 'dkim', 'spf', 'dmarc', 'auth-results', 'message', 'canonicalization'],
  tokens: [
    ...message.tokens,
    ...dkimVerify.tokens,
    ...forged.tokens,
    ...'v=spf1 -all|v=spf1 +all|v=DMARC1; p=reject|_dmarc.| TXT |include:|redirect=|a:%{l}.%{d}'.split('|'),
  ],
  seeds: () => [...wholeMessages(), ...dkimMessages().filter((_, index) => index % 4 === 0)].map(toInput),
  run: async (input) => {
    const { lines, rest: raw } = splitInput(input);
    const [ipLine = '', helo = '', mailFrom = '', ...zone] = lines;
    // A door knows the address from the connection: what is none is its own mistake.
    const ip = parseClientIp(ipLine) === undefined ? '192.0.2.1' : ipLine;
    const context = { session: { ip, helo }, envelope: { mailFrom } };
    const options = { resolver: zoneOf(zone), authservId, now };

    const { report, edits } = await authenticate(raw, context, options);
    const valid = authenticationReportSchema.safeParse(report);
    must(valid.success, `the report does not match its schema: ${valid.error?.issues[0]?.path.join('.') ?? ''}`);
    must(isDeepStrictEqual(JSON.parse(JSON.stringify(report)), report), 'the report is not plain JSON');
    must(parseAuthenticationResults(report.authenticationResults).ok, 'our Authentication-Results do not parse');

    const edited = parseMessage(editMessage(raw, edits));
    const [top] = edited.header.fields;
    must(top?.name === 'authentication-results', 'our field does not stand on top');
    const added = parseHeader(edits.prepend[0] ?? Buffer.alloc(0));
    must(added.fields.length === 1 && added.bytes.length === top.end, 'our field runs into the one below');
    const again = findForged(edited.header, [authservId]);
    must(isDeepStrictEqual(again, [{ name: 'authentication-results', occurrence: 1 }]), 'not ours alone is left');
    must(Buffer.compare(edited.body, parseMessage(raw).body) === 0, 'the edits change the body');

    // Now and then: it costs as much as all of the above.
    if (raw.length % 4 === 0) {
      const inChunks = await authenticate(inTurn(cut(raw)), context, options);
      must(isDeepStrictEqual(inChunks.report, report), 'in chunks the report is another');
    }
    return [
      report.spf.mailFrom.code,
      report.spf.helo.code,
      report.dmarc.code,
      ...report.dkim.map(({ code }) => code),
      ...report.notices.map(({ code }) => code),
      ...report.limits,
    ];
  },
};

async function* inTurn(chunks: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function toInput({ raw, ip, helo, mailFrom, dns }: SeedMessage): Buffer {
  const asked = relevant(dns, `${toText(raw)} ${helo} ${mailFrom}`);
  return joinInput([ip, helo, mailFrom, ...zoneLines(asked).slice(0, 25)], raw);
}
