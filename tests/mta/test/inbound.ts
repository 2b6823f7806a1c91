import { setTimeout } from 'node:timers/promises';
import { generateMessages, messageFeatures, runSeed } from '@zegel/test-harness';
import type { GeneratedMessage, MessageFeature } from '@zegel/test-harness';
import { expect, it } from 'vitest';
import { fieldsNamed, fieldsOf, mail } from '../src/mail.ts';
import { ownAddress } from '../src/mail-system.ts';
import type { MailSystem, Recipe } from '../src/mail-system.ts';
import { hostname } from '../src/mta.ts';
import { readChecks } from '../src/recipe.ts';
import { SmtpClient } from '../src/smtp-client.ts';
import type { SmtpReply } from '../src/smtp-client.ts';
import { commandMs } from '../src/zegel.ts';

/** Not in the SPF record of example.org. */
const strangeAddress = '127.0.0.8';

const message = mail(
  'From: Ann <ann@example.org>',
  'To: bob@example.net',
  'Subject: Hello',
  'Date: Wed, 25 Nov 2026 12:00:00 +0000',
  'Message-ID: <1@example.org>',
  '',
  'Hello.',
);

const forged = [
  `Authentication-Results: ${hostname}; dkim=pass header.d=bank.example`,
  `authentication-results:${hostname.toUpperCase()} 1;\r\n\tdmarc=pass header.from=bank.example`,
  `Authentication-Results: (ours) ${hostname}; spf=pass\r\n smtp.mailfrom=bank.example`,
];
const foreign = 'Authentication-Results: relay.example.com; spf=pass smtp.mailfrom=example.org';

const sender = ({ index }: GeneratedMessage): string => `m${index}@example.test`;

/** What an MTA with Zegel behind it does with mail from anywhere. */
export function describeInbound(current: () => MailSystem, recipe: Recipe): void {
  let count = 0;

  /** Hands a message in from an address; with the reply, what arrived. */
  async function handIn(from: string, raw: Uint8Array): Promise<{ reply: SmtpReply; arrived: () => Promise<Buffer> }> {
    count += 1;
    const recipient = `carl${count}@example.net`;
    await using client = await SmtpClient.open({ port: current().mta.inboundPort, from, helo: 'mail.example.org' });
    const reply = await client.send({ sender: 'ann@example.org', recipients: [recipient], raw });
    const arrived = async (): Promise<Buffer> => {
      const [delivery] = await current().sink.waitFor(
        ({ recipients }) => recipients[0]?.startsWith(`<${recipient}>`) === true,
      );
      return delivery?.raw ?? Buffer.alloc(0);
    };
    return { reply, arrived };
  }

  it('arrives with one Authentication-Results of ours, on top, and without those forged in our name', async () => {
    const signed = await current().signElsewhere(message);
    const [signature = '', ...others] = fieldsOf(signed);
    const [first = '', second = '', third = ''] = forged;
    const sent = [first, signature, ...others.slice(0, 2), second, foreign, ...others.slice(2), third];
    const { reply, arrived } = await handIn(
      ownAddress,
      Buffer.from(`${sent.join('\r\n')}\r\n\r\nHello.\r\n`, 'latin1'),
    );
    expect(reply).toMatchObject({ code: 250 });
    const raw = await arrived();
    const [results, received, ...rest] = fieldsOf(raw);
    expect(results).toMatch(new RegExp(`^Authentication-Results: ${hostname}(?: 1)?;`, 'u'));
    for (const method of ['dkim', 'spf', 'dmarc']) expect(results).toContain(`${method}=pass`);
    expect(received).toMatch(/^Received: from mail\.example\.org/u);
    expect(rest.filter((field) => !field.startsWith('Return-Path:'))).toEqual(
      sent.filter((field) => !forged.includes(field)),
    );
    expect(await current().verify(raw)).toMatchObject([{ selector: 'rsa', result: 'pass' }]);
  });

  it('may take its client longer than the mail server may be silent', async () => {
    const [sender, recipient] = ['ann@example.org', 'slow@example.net'];
    await using client = await SmtpClient.open({ port: current().mta.inboundPort, from: ownAddress });
    await client.begin({ sender, recipients: [recipient] });
    client.write(message.subarray(0, -8));
    await setTimeout(commandMs + 500);
    client.write(message.subarray(-8));
    client.write('.\r\n');
    expect(await client.reply()).toMatchObject({ code: 250 });
    const [delivery] = await current().sink.waitFor(
      ({ recipients }) => recipients[0]?.startsWith(`<${recipient}>`) === true,
    );
    expect(fieldsNamed(delivery?.raw ?? Buffer.alloc(0), 'authentication-results')).toHaveLength(1);
  });

  it('is filtered as the recipe has its readers see', async () => {
    const { shell, changes } = current().mta;
    for (const { command, output } of readChecks(`${recipe}/README.md`, changes)) {
      expect(await shell(command), command).toBe(output);
    }
  });

  it('is verified byte for byte: simple/simple holds, whatever the message looks like', async () => {
    // An author that is too long to be read is refused, and Sendmail takes a very long field name for the beginning of the body.
    const left: readonly MessageFeature[] = recipe === 'postfix' ? ['long-from'] : ['long-from', 'long-field-name'];
    const generated = generateMessages(runSeed(), messageFeatures.length);
    const messages = generated.filter(({ features }) => !left.some((one) => features.has(one)));
    await using client = await SmtpClient.open({ port: current().mta.inboundPort, from: strangeAddress });
    for (const generatedMessage of messages) {
      const raw = await current().signElsewhere(generatedMessage.wire, 'simple');
      const envelope = {
        sender: sender(generatedMessage),
        recipients: ['bob@example.net'],
        parameters: ['BODY=8BITMIME'],
      };
      expect(await client.send({ ...envelope, raw }), sender(generatedMessage)).toMatchObject({ code: 250 });
    }
    for (const generatedMessage of messages) {
      const from = `<${sender(generatedMessage)}>`;
      const [delivery] = await current().sink.waitFor((one) => one.sender.startsWith(from));
      const [results] = fieldsOf(delivery?.raw ?? Buffer.alloc(0));
      expect(results, [...generatedMessage.features].join(', ')).toContain('dkim=pass');
    }
  });

  it('is never signed for being from a domain of ours', async () => {
    const { reply, arrived } = await handIn(ownAddress, message);
    expect(reply).toMatchObject({ code: 250 });
    const raw = await arrived();
    expect(fieldsNamed(raw, 'DKIM-Signature')).toEqual([]);
    expect(fieldsNamed(raw, 'Authentication-Results').join('')).toMatch(/dkim=none.*spf=pass.*dmarc=pass/su);
  });

  it('is refused when DMARC says reject', async () => {
    const { reply } = await handIn(strangeAddress, message);
    expect(reply.text).toMatch(/^550 5\.7\.\d+ .*DMARC/u);
    const signed = await current().signElsewhere(message);
    expect((await handIn(strangeAddress, signed)).reply).toMatchObject({ code: 250 });
  });
}
