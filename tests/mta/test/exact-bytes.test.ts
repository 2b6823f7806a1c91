import type { SignatureVerdict } from '@zegel/interop/implementation';
import { startPeer } from '@zegel/interop/peer';
import { signingDomain } from '@zegel/interop/signing-domain';
import { generateMessages, messageFeatures, runSeed } from '@zegel/test-harness';
import type { GeneratedMessage } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { logins } from '../src/mta.ts';
import type { StartMta } from '../src/mta.ts';
import { ownFilter } from '../src/own-filter.ts';
import { startPostfix } from '../src/postfix.ts';
import { startSendmail } from '../src/sendmail.ts';
import { SmtpClient } from '../src/smtp-client.ts';
import { startSmtpSink } from '../src/smtp-sink.ts';

/** Awkward messages, each feature at least once. */
const generated = generateMessages(runSeed(), messageFeatures.length);

interface Passage {
  readonly message: GeneratedMessage;
  /** What the filter was shown, which is what it signed. */
  readonly shown: Buffer;
  /** What came out at the other end, fields that the MTA put on top included. */
  readonly arrived: Buffer;
  /** What dkimpy says about each signature. */
  readonly verdicts: readonly SignatureVerdict[];
}

const senderOf = ({ index }: GeneratedMessage): string => `m${index}@example.org`;

/** Sends every message through an MTA whose filter is one of the test's own, which signs with RSA and Ed25519. */
async function passThrough(
  messages: readonly GeneratedMessage[],
  startMta: StartMta,
  canonicalization: 'simple' | 'relaxed',
): Promise<readonly Passage[]> {
  using domain = await signingDomain();
  await using peer = await startPeer('dkimpy', domain);
  await using sink = await startSmtpSink();
  await using filter = ownFilter(Object.values(domain.keys), canonicalization);
  await using mta = await startMta({
    sink: sink.port,
    startFilters: async (socket) => {
      await filter.listen(socket);
      return await filter.listen(0);
    },
  });
  await using client = await SmtpClient.open({ port: mta.submissionPort, login: logins.ann });
  const parameters = ['BODY=8BITMIME', ...(mta.name === 'Postfix' ? ['SMTPUTF8'] : [])];
  for (const message of messages) {
    const recipients = ['bob@example.net'];
    const reply = await client.send({ sender: senderOf(message), recipients, raw: message.wire, parameters });
    expect(reply, `message ${message.index}`).toMatchObject({ code: 250 });
  }
  return await Promise.all(
    messages.map(async (message) => {
      const [delivery] = await sink.waitFor(({ sender }) => sender.startsWith(`<${senderOf(message)}>`));
      const shown = filter.shown.get(senderOf(message));
      if (delivery === undefined || shown === undefined)
        throw new Error(`message ${message.index} went past the filter`);
      return { message, shown, arrived: delivery.raw, verdicts: await peer.verify(delivery.raw) };
    }),
  );
}

function describeMessage({ message: { index, features } }: Passage): string {
  return `message ${index}: ${[...features].join(', ')}`;
}

/** What dkimpy has to say. An MTA breaks the lines of a body that are longer than it sends them, as the recipes tell. */
function expectedVerdicts({ message: { wire } }: Passage, maxLine: number): readonly object[] {
  const text = wire.toString('latin1');
  const body = text.includes('\r\n\r\n') ? text.slice(text.indexOf('\r\n\r\n')) : '';
  const result = body.split('\r\n').some((line) => line.length > maxLine) ? 'fail' : 'pass';
  return [
    { selector: 'rsa', result },
    { selector: 'ed', result },
  ];
}

describe('Postfix', () => {
  it('sends the very bytes that the filter signed: simple/simple holds', async () => {
    const passages = await passThrough(generated, startPostfix, 'simple');
    for (const passage of passages) {
      expect(passage.verdicts, describeMessage(passage)).toMatchObject(expectedVerdicts(passage, 998));
    }
    const whole = passages.filter(({ message }) => !/^[^\r\n]{999}/mu.test(message.wire.toString('latin1')));
    for (const passage of whole) {
      const { message, shown, arrived } = passage;
      // A message without a body ends with its header, and the filter hears the end of that.
      const signed = message.features.has('no-body') ? shown.subarray(0, -2) : shown;
      expect(arrived.subarray(-signed.length).equals(signed), describeMessage(passage)).toBe(true);
      // Blanks before a colon are gone before the filter sees them; all else is as it was sent.
      const sent = message.wire.toString('latin1').replace(/^([!-9;-~]+)[ \t]+:/gmu, '$1:');
      expect(signed.toString('latin1') === sent, describeMessage(passage)).toBe(true);
    }
  });
});

describe('Sendmail', () => {
  it('changes white space in address fields after the filter: relaxed/relaxed holds', async () => {
    // It takes a very long field name for the beginning of the body, and cuts an address that, with its name, is longer
    // than 256 bytes.
    const messages = generated.filter(({ features }) => !features.has('long-field-name') && !features.has('long-from'));
    const passages = await passThrough(messages, startSendmail, 'relaxed');
    for (const passage of passages) {
      expect(passage.verdicts, describeMessage(passage)).toMatchObject(expectedVerdicts(passage, 2040));
    }
    const changed = passages.filter(
      ({ message, arrived }) => !arrived.subarray(-message.wire.length).equals(message.wire),
    );
    expect(changed).not.toHaveLength(0);
  });
});
