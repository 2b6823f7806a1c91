import { expect, it } from 'vitest';
import { fieldsOf, mail } from '../src/mail.ts';
import { ownAddress } from '../src/mail-system.ts';
import type { MailSystem } from '../src/mail-system.ts';
import { logins } from '../src/mta.ts';
import { SmtpClient, SmtpRefusal } from '../src/smtp-client.ts';
import type { Delivery } from '../src/smtp-sink.ts';
import type { SmtpClientOptions, SmtpMessage, SmtpReply } from '../src/smtp-client.ts';

const raw = mail(
  'From: Ann <ann@example.org>',
  'To: bob@example.net',
  'Subject: Hello',
  'Date: Wed, 25 Nov 2026 12:00:00 +0000',
  'Message-ID: <1@example.org>',
  '',
  'Hello.',
);

/** What a client gets in the end: the first reply that is no success, be it to the connection or to the last dot. */
async function handIn(options: SmtpClientOptions, message: SmtpMessage): Promise<SmtpReply> {
  try {
    await using client = await SmtpClient.open(options);
    return await client.send(message);
  } catch (error) {
    if (error instanceof SmtpRefusal) return error.reply;
    throw error;
  }
}

const isFor = (name: string) => (delivery: Delivery) => delivery.recipients[0]?.startsWith(`<${name}@`) === true;

/** What becomes of mail while Zegel is not there. */
export function describeOutage(current: () => MailSystem): void {
  it('answers 4xx until it is back, and lets nothing through unsigned or unverified', async () => {
    const { mta, zegel, sink, verify } = current();
    const submission = { port: mta.submissionPort, login: logins.ann };
    const inbound = { port: mta.inboundPort, from: ownAddress };
    const out = { sender: 'ann@example.org', recipients: ['out@example.net'], raw };
    const into = { sender: 'ann@example.org', recipients: ['in@example.net'], raw };

    await using client = await SmtpClient.open(submission);
    expect(await client.begin(out)).toMatchObject({ code: 354 });
    client.write(raw);
    await zegel.kill();
    expect(String((await client.command('.')).code)).toMatch(/^4/u);
    expect(String((await handIn(submission, out)).code)).toMatch(/^4/u);
    expect(String((await handIn(inbound, into)).code)).toMatch(/^4/u);

    await zegel.restart();
    expect(await handIn(submission, out)).toMatchObject({ code: 250 });
    expect(await handIn(inbound, into)).toMatchObject({ code: 250 });
    const [signed] = await sink.waitFor(isFor('out'));
    expect(await verify(signed?.raw ?? raw)).toMatchObject([{ result: 'pass' }, { result: 'pass' }]);
    const [verified] = await sink.waitFor(isFor('in'));
    expect(fieldsOf(verified?.raw ?? raw)[0]).toContain('dmarc=pass');
    // Neither came while there was no filter.
    expect(sink.deliveries.filter(isFor('out'))).toHaveLength(1);
    expect(sink.deliveries.filter(isFor('in'))).toHaveLength(1);
  });
}
