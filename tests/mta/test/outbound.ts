import { expect, it } from 'vitest';
import { mail, fieldsNamed } from '../src/mail.ts';
import type { MailSystem } from '../src/mail-system.ts';
import { logins } from '../src/mta.ts';
import type { SmtpLogin } from '../src/smtp-client.ts';
import { SmtpClient } from '../src/smtp-client.ts';
import type { Delivery } from '../src/smtp-sink.ts';

const header = [
  'From: Ann <ann@example.org>',
  'To: bob@example.net',
  'Subject: Hello',
  'Date: Wed, 25 Nov 2026 12:00:00 +0000',
  'Message-ID: <1@example.org>',
];
const bothPass = [
  { selector: 'rsa', result: 'pass' },
  { selector: 'ed', result: 'pass' },
];

const toMany = ({ recipients }: Delivery): boolean => recipients.some((one) => one.startsWith('<many'));

/** What an MTA with Zegel behind it does with mail of those who may send. */
export function describeOutbound(current: () => MailSystem, knowsUtf8: boolean): void {
  let count = 0;

  function open(login: SmtpLogin = logins.ann): Promise<SmtpClient> {
    return SmtpClient.open({ port: current().mta.submissionPort, login });
  }

  /** A recipient of one message's own, to know it again at the sink. */
  function recipient(): string {
    count += 1;
    return `bob${count}@example.net`;
  }

  async function arrived(address: string): Promise<Delivery> {
    const [delivery] = await current().sink.waitFor(({ recipients }) =>
      recipients.some((one) => one.startsWith(`<${address}>`)),
    );
    if (delivery === undefined) throw new Error('Nothing arrived');
    return delivery;
  }

  /** Submits a message as Ann and answers it as it arrived. */
  async function submit(raw: Uint8Array, parameters: readonly string[] = []): Promise<Buffer> {
    await using client = await open();
    const to = recipient();
    const reply = await client.send({ sender: 'ann@example.org', recipients: [to], raw, parameters });
    expect(reply.code, reply.text).toBe(250);
    return (await arrived(to)).raw;
  }

  it('is signed when its sender has logged in', async () => {
    const raw = await submit(mail(...header, '', 'Hello.'));
    expect(await current().verify(raw)).toMatchObject(bothPass);
  });

  it('is signed when a program on this host sends it', async () => {
    const to = recipient();
    // Programs hand over lines as this host ends them.
    const raw = Buffer.from(
      mail(...header, '', 'From cron.')
        .toString()
        .replaceAll('\r', ''),
    );
    await current().mta.submitLocally(['-i', '-f', 'ann@example.org', to], raw);
    expect(await current().verify((await arrived(to)).raw)).toMatchObject(bothPass);
  });

  it('is refused when the login may not sign as its author', async () => {
    await using client = await open(logins.eve);
    const message = { sender: 'eve@example.org', recipients: [recipient()] };
    const refused = await client.send({ ...message, raw: mail(...header, '', 'I am not Ann.') });
    expect(refused.text).toMatch(/^550 5\.7\.1 /u);
    const own = header.with(0, 'From: eve@example.org');
    expect(await client.send({ ...message, raw: mail(...own, '', 'I am Eve.') })).toMatchObject({ code: 250 });
    expect(await current().verify((await arrived(message.recipients[0] ?? '')).raw)).toMatchObject(bothPass);
  });

  const utf8 = header.with(2, 'Subject: Grüße, 你好');
  it.each<[string, readonly string[], (readonly string[])?]>([
    ['folded fields', [...header.with(2, 'Subject: Hello,\r\n\tfolded\r\n  twice'), '', 'x']],
    [
      'fields without a space after the colon',
      [...header.with(1, 'To:bob@example.net').with(2, 'Subject:Hello'), '', 'x'],
    ],
    ['a value that starts with a tab', [...header.with(2, 'Subject:\tHello'), '', 'x']],
    ['a value that starts on the next line', [...header.with(2, 'Subject:\r\n Hello'), '', 'x']],
    ['8-bit header fields', [...utf8, '', 'x'], ['BODY=8BITMIME']],
    [
      'an 8-bit body',
      [
        ...header,
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
        '',
        'Grüße',
      ],
      ['BODY=8BITMIME'],
    ],
    ['fields that the MTA adds', [...header.slice(0, 3), '', 'x']],
    ['an empty body', [...header, '']],
    ['no body', header],
    ['lines that are dots', [...header, '', '.', '..', '.hidden', '...', '']],
    ['blank lines at the end', [...header, '', 'x', '', '', '']],
    ['white space at the ends of lines', [...header, '', 'x \t', ' \t', '\ty  z']],
  ])('is signed with %s', async (_, lines, parameters) => {
    const raw = await submit(mail(...lines), parameters);
    expect(await current().verify(raw)).toMatchObject(bothPass);
  });

  it('is signed message by message in one session', async () => {
    await using client = await open();
    const recipients = [recipient(), recipient(), recipient()];
    const raws = recipients.map((_, index) => mail(...header, '', `Message ${index}.`));
    for (const [index, raw] of raws.entries()) {
      // Given up before and after its recipients: nothing of it may stay.
      await client.command('MAIL FROM:<nobody@example.org>');
      await client.command('RCPT TO:<nobody@example.net>');
      expect(await client.command('RSET')).toMatchObject({ code: 250 });
      const message = { sender: 'ann@example.org', recipients: [recipients[index] ?? ''], raw };
      expect(await client.send(message)).toMatchObject({ code: 250 });
    }
    for (const [index, to] of recipients.entries()) {
      const { raw } = await arrived(to);
      expect(await current().verify(raw)).toMatchObject(bothPass);
      expect(raw.toString()).toContain(`Message ${index}.`);
    }
  });

  it('is signed after another client went away in the middle of its data', async () => {
    await using gone = await open();
    expect(await gone.begin({ sender: 'ann@example.org', recipients: [recipient()] })).toMatchObject({ code: 354 });
    gone.write(mail(...header, '', 'I have to'));
    await gone.drop();
    const raw = await submit(mail(...header, '', 'I am still here.'));
    expect(await current().verify(raw)).toMatchObject(bothPass);
  });

  it('loses results that claim to be ours', async () => {
    const raw = await submit(mail('Authentication-Results: mx.example.net; dkim=pass', ...header, '', 'x'));
    expect(fieldsNamed(raw, 'Authentication-Results')).toEqual([]);
    expect(await current().verify(raw)).toMatchObject(bothPass);
  });

  it('is signed with a body of 30 MB', async () => {
    const line = `${'0123456789'.repeat(7)}\r\n`;
    const raw = await submit(Buffer.concat([mail(...header, ''), Buffer.from(line.repeat(30_000_000 / line.length))]));
    expect(raw.length).toBeGreaterThan(29_999_900);
    expect(await current().verifyLarge(raw)).toMatchObject(bothPass);
  });

  it('is signed for 2,000 recipients', async () => {
    await using client = await open();
    count += 1;
    const recipients = Array.from({ length: 2000 }, (_, index) => `many${index}@example.net`);
    const raw = mail(...header, '', 'To all.');
    expect(await client.send({ sender: 'ann@example.org', recipients, raw })).toMatchObject({ code: 250 });
    await expect
      .poll(
        () =>
          current()
            .sink.deliveries.filter(toMany)
            .flatMap((one) => one.recipients).length,
        { timeout: 50_000 },
      )
      .toBe(2000);
    for (const delivery of current().sink.deliveries.filter(toMany)) {
      expect(await current().verify(delivery.raw)).toMatchObject(bothPass);
    }
  });

  it('is signed with addresses in UTF-8, where the server knows them at all', async () => {
    await using client = await open();
    const to = `bøb${recipient()}`;
    const raw = mail(...header.with(1, `To: <${to}>`).with(2, 'Subject: Grüße'), '', 'x');
    const message = { sender: 'ann@example.org', recipients: [to], raw, parameters: ['SMTPUTF8', 'BODY=8BITMIME'] };
    expect(await client.send(message)).toMatchObject({ code: knowsUtf8 ? 250 : 555 });
    const verdicts = knowsUtf8 ? await current().verify((await arrived(to)).raw) : [];
    expect(verdicts).toMatchObject(knowsUtf8 ? bothPass : []);
  });
}
