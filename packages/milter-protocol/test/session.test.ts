import { once } from 'node:events';
import { connect as connectSocket, createServer } from 'node:net';
import path from 'node:path';
import { headerFromPairs } from '@zegel/message';
import { temporaryFolder } from '@zegel/test-harness';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCommand, fullOffer, openMilter, serveMilter, silentBits, splitMessage } from '../src/index.ts';
import type { Command, EndOfMessage, MilterHandler, MilterSession, Step, Verdict } from '../src/index.ts';
import {
  bytesOf,
  connectBoth,
  exchange,
  greet,
  latin1,
  offerBytes,
  replyCodes,
  serveRaw,
  wishes,
} from './connection.ts';

const sender = { address: '<ann@example.org>', parameters: ['SIZE=1000'] };
const messageSteps: Step[] = ['connect', 'helo', 'mail', 'recipient', 'data', 'header', 'end-of-header', 'body'];

const to = (address: string) => ({ address, parameters: [] });
const recipients = [to('<bob@example.net>')];

/** Writes down all it hears, and collects the message. */
class Recorder implements MilterHandler {
  readonly heard: string[] = [];
  readonly pairs: [Uint8Array, Uint8Array][] = [];
  readonly chunks: Uint8Array[] = [];

  connect(hostname: string): void {
    this.heard.push(`connect ${hostname}`);
  }
  helo(name: string): void {
    this.heard.push(`helo ${name}`);
  }
  mail({ address, parameters }: { address: string; parameters: readonly string[] }): void {
    this.heard.push(['mail', address, ...parameters].join(' '));
    this.pairs.length = 0;
    this.chunks.length = 0;
  }
  recipient({ address }: { address: string }): void {
    this.heard.push(`recipient ${address}`);
  }
  data(): void {
    this.heard.push('data');
  }
  header(name: Uint8Array, value: Uint8Array): void {
    this.pairs.push([name, value]);
  }
  endOfHeader(): void {
    this.heard.push(`header of ${this.pairs.length}`);
  }
  body(chunk: Uint8Array): void {
    this.chunks.push(chunk);
  }
  endOfMessage(): void {
    this.heard.push(`end after ${Buffer.concat(this.chunks).length}`);
  }
  abort(): void {
    this.heard.push('abort');
  }
  close(): void {
    this.heard.push('close');
  }

  message(): string {
    const header = headerFromPairs(this.pairs);
    return latin1(Buffer.concat([header.bytes, Buffer.from('\r\n'), ...this.chunks]));
  }
}

describe('a message', () => {
  it.each([
    ['plain', 'From: a@b\r\nSubject: x\r\n\r\nHello.\r\n'],
    ['with folded fields', 'Subject: a\r\n b\r\n\tc\r\nTo:\r\n x@y\r\n\r\nbody\r\n'],
    ['with Name:value', 'Subject:x\r\nFrom:a@b\r\n\r\nbody\r\n'],
    ['with values that begin with a tab or spaces', 'A:\tb\r\nC:   d\r\nE: \tf \r\n\r\nbody\r\n'],
    ['with empty values', 'A:\r\nB: \r\n\r\nbody\r\n'],
    ['in 8 bits', 'Subject: \xe9\xff\x80\r\n\r\n\xfe\xff\x00\r\n'],
    ['with an empty body', 'A: b\r\n\r\n'],
    ['without header', '\r\nbody\r\n'],
    ['with a body of many chunks', `A: b\r\n\r\n${'0123456789abcde\r\n'.repeat(12_000)}`],
    ['with a field of 900 kB', `A: ${'x'.repeat(900_000)}\r\n\r\nbody`],
  ])('%s arrives as it was sent', async (_what, raw) => {
    const recorder = new Recorder();
    const { client, ended } = await connectBoth(() => recorder);
    await greet(client);
    const outcome = await client.sendMessage({ sender, recipients, raw: bytesOf(raw) });
    await client.quit();
    expect(outcome).toEqual({ verdict: { kind: 'continue' }, modifications: [], recipients: [{ kind: 'continue' }] });
    expect(recorder.message() === raw).toBe(true);
    expect(await ended).toEqual({ reason: 'quit', code: null, explanation: null, messages: 1 });
  });

  it('of any fields arrives as it was sent, steps silent or not', async () => {
    const value = fc.string({ unit: fc.constantFrom(' ', '\t', 'a', '\xe9', ':', '\r\n ', '\r\n\t') });
    const fields = fc.array(fc.tuple(fc.constantFrom('A', 'b-C', 'Subject'), value), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fields, fc.subarray(messageSteps), fc.string(), async (fields, silent, body) => {
        const raw = `${fields.map(([name, text]) => `${name}:${text}\r\n`).join('')}\r\n${body}`;
        const recorder = new Recorder();
        const { client } = await connectBoth(() => recorder, { wishes: { ...wishes, silent } });
        await greet(client);
        await client.sendMessage({ sender, recipients, raw: bytesOf(raw) });
        await client.quit();
        expect(recorder.message()).toBe(latin1(bytesOf(raw)));
      }),
      { numRuns: 60 },
    );
  });

  it('arrives without its leading spaces, and never without a tab, when the MTA does not offer to keep them', async () => {
    const recorder = new Recorder();
    const offer = { ...fullOffer, protocol: 0 };
    const { client } = await connectBoth(() => recorder, { offer });
    await greet(client);
    const raw = bytesOf('A: b\r\nC:d\r\nE:  f\r\nG:\th\r\nI:\r\n j\r\n\r\n');
    await client.sendMessage({ sender, recipients, raw });
    expect(client.agreement.leadingSpace).toBe(false);
    expect(recorder.pairs.map(([, value]) => latin1(value))).toEqual(['b', 'd', ' f', '\th', '\n j']);
  });

  it('may hand over its last octets with its end', async () => {
    const recorder = new Recorder();
    const { client } = await connectBoth(() => recorder);
    await greet(client);
    await client.step({ kind: 'mail', ...sender });
    await client.step({ kind: 'end-of-header' });
    await client.step({ kind: 'body', chunk: bytesOf('first ') });
    await client.endOfMessage(bytesOf('last'));
    expect(latin1(Buffer.concat(recorder.chunks))).toBe('first last');
  });

  it('follows another on the same connection, after an abort too', async () => {
    const recorder = new Recorder();
    const { client, ended } = await connectBoth(() => recorder);
    await greet(client);
    const message = { sender, recipients, raw: bytesOf('A: b\r\n\r\nbody') };
    await client.sendMessage(message);
    await client.step({ kind: 'mail', ...sender });
    await client.step({ kind: 'header', name: bytesOf('A'), value: bytesOf('b') });
    await client.abort();
    await client.abort();
    await client.sendMessage(message);
    await client.quit();
    const heard = [
      'mail <ann@example.org> SIZE=1000',
      'recipient <bob@example.net>',
      'data',
      'header of 1',
      'end after 4',
    ];
    expect(recorder.heard).toEqual([
      'connect mx.example.org',
      'helo mx.example.org',
      ...heard,
      'mail <ann@example.org> SIZE=1000',
      'abort',
      ...heard,
      'close',
    ]);
    expect(await ended).toMatchObject({ reason: 'quit', messages: 2 });
  });

  it('of a new SMTP session on the same connection meets a new handler, with nothing left of the old', async () => {
    const recorders: Recorder[] = [];
    const sessions: MilterSession[] = [];
    const { client } = await connectBoth((session) => {
      const recorder = new Recorder();
      recorders.push(recorder);
      sessions.push(session);
      return recorder;
    });
    await client.macros('connect', [['{daemon_name}', 'smtp']]);
    await greet(client);
    await client.step({ kind: 'mail', ...sender });
    await client.quitKeepingConnection();
    await greet(client);
    await client.sendMessage({ sender, recipients, raw: bytesOf('\r\n') });
    await client.quit();
    expect(recorders.map(({ heard }) => heard.slice(2))).toEqual([
      ['mail <ann@example.org> SIZE=1000', 'abort', 'close'],
      expect.arrayContaining(['end after 0', 'close']),
    ]);
    expect(sessions.map((session) => session.macro('daemon_name'))).toEqual(['smtp', null]);
  });

  it('passes over a Unix socket', async () => {
    using folder = temporaryFolder('milter');
    const file = path.join(folder.path, 'milter.sock');
    const recorder = new Recorder();
    const { promise: ended, resolve } = Promise.withResolvers<unknown>();
    const server = createServer((socket) => {
      resolve(serveMilter(socket, () => recorder, { wishes, idleMs: 20_000 }));
    }).listen(file);
    await once(server, 'listening');
    const client = await openMilter(connectSocket(file), { timeoutMs: 20_000 });
    await greet(client);
    const raw = `A: b\r\n\r\n${'x'.repeat(1_000_000)}`;
    await client.sendMessage({ sender, recipients, raw: bytesOf(raw) });
    await client.quit();
    expect(await ended).toMatchObject({ reason: 'quit', messages: 1 });
    expect(recorder.message() === raw).toBe(true);
    server.close();
    await once(server, 'close');
  });
});

describe('replies', () => {
  const steps: readonly Command[] = [
    { kind: 'connect', hostname: 'h', client: { family: 'unknown' } },
    { kind: 'helo', name: 'h' },
    { kind: 'mail', ...sender },
    { kind: 'recipient', address: '<a@b>', parameters: [] },
    { kind: 'data' },
    ...Array.from({ length: 10 }, (): Command => ({ kind: 'header', name: bytesOf('A'), value: bytesOf(' b') })),
    { kind: 'end-of-header' },
    { kind: 'body', chunk: bytesOf('x') },
    { kind: 'end-of-message', chunk: bytesOf('') },
    { kind: 'abort' },
    { kind: 'quit' },
  ];
  const session = [offerBytes, ...steps.map(encodeCommand)];

  it('are one for each step when nothing else is agreed', async () => {
    const connection = serveRaw(() => ({}));
    expect(replyCodes(await exchange(connection, session))).toBe(`O${'c'.repeat(18)}`);
  });

  it('are one, and that of the negotiation, when every step is silent', async () => {
    const connection = serveRaw(() => ({}), { wishes: { ...wishes, silent: messageSteps } });
    expect(replyCodes(await exchange(connection, session))).toBe('Oc');
    expect(await connection.ended).toMatchObject({ reason: 'quit', messages: 1 });
  });

  it('come for silent steps too when the MTA does not offer the silence', async () => {
    const connection = serveRaw(() => ({}), { wishes: { ...wishes, silent: messageSteps } });
    const offer = encodeCommand({ kind: 'negotiate', version: 6, actions: 0x1ff, protocol: silentBits.header });
    expect(replyCodes(await exchange(connection, [offer, ...session.slice(1)]))).toBe(`O${'c'.repeat(8)}`);
  });

  it('keep a slow end of a message alive on request, and not once it is answered', async () => {
    let kept: EndOfMessage | undefined;
    const connection = serveRaw(() => ({
      endOfMessage: (end) => {
        kept = end;
        end.progress();
        end.progress();
      },
      abort: () => kept?.progress(),
      close: () => kept?.progress(),
    }));
    expect(replyCodes(await exchange(connection, session))).toBe(`O${'c'.repeat(17)}ppc`);
  });

  it.each<[Verdict, number]>([
    [{ kind: 'reject' }, 0],
    [{ kind: 'tempfail' }, 0],
    [{ kind: 'discard' }, 0],
    [{ kind: 'reply-code', code: 550, enhanced: '5.7.1', text: '100% spam' }, 0],
    [{ kind: 'accept' }, 2],
  ])('$kind at the end of a message, with the changes only when it passes', async (verdict, changes) => {
    const edits = { remove: [{ name: 'A', occurrence: 1 }], prepend: [bytesOf('B: c\r\n')] };
    const { client } = await connectBoth(() => ({ endOfMessage: () => ({ edits, verdict }) }));
    await greet(client);
    const outcome = await client.sendMessage({ sender, recipients, raw: bytesOf('A: b\r\n\r\n') });
    expect(outcome.verdict).toEqual(verdict);
    expect(outcome.modifications).toHaveLength(changes);
  });

  it('of a step end the message, and those to a recipient only that recipient', async () => {
    const { client } = await connectBoth(() => ({
      recipient: ({ address }) => (address === '<no@example.net>' ? { kind: 'reject' } : undefined),
      header: (name) => (latin1(name) === 'Bad' ? { kind: 'tempfail' } : undefined),
    }));
    await greet(client);
    const good = bytesOf('A: b\r\n\r\n');
    const some = { sender, recipients: [to('<no@example.net>'), to('<yes@example.net>')], raw: good };
    expect(await client.sendMessage(some)).toMatchObject({
      verdict: { kind: 'continue' },
      recipients: [{ kind: 'reject' }, { kind: 'continue' }],
    });
    const bad = { sender, recipients, raw: bytesOf('Bad: b\r\n\r\n') };
    expect(await client.sendMessage(bad)).toMatchObject({ verdict: { kind: 'tempfail' } });
    const none = { sender, recipients: [to('<no@example.net>')], raw: good };
    expect(await client.sendMessage(none)).toMatchObject({ verdict: { kind: 'reject' } });
    expect(await client.sendMessage({ ...some, recipients })).toMatchObject({ verdict: { kind: 'continue' } });
  });

  it('spare the rest of a body nobody needs: skip where it is agreed on', async () => {
    const sizes: number[] = [];
    const handler: MilterHandler = {
      body: (chunk) => {
        sizes.push(chunk.length);
        return 'skip';
      },
    };
    const raw = bytesOf(`A: b\r\n\r\n${'x'.repeat(200_000)}`);
    const withSkip = await connectBoth(() => handler);
    await greet(withSkip.client);
    await withSkip.client.sendMessage({ sender, recipients, raw });
    await withSkip.client.sendMessage({ sender, recipients, raw });
    const withoutSkip = await connectBoth(() => handler, { offer: { ...fullOffer, protocol: 0 } });
    await greet(withoutSkip.client);
    await withoutSkip.client.sendMessage({ sender, recipients, raw });
    const silent = await connectBoth(() => handler, { wishes: { ...wishes, silent: ['body'] } });
    await greet(silent.client);
    await silent.client.sendMessage({ sender, recipients, raw });
    expect(sizes).toEqual([65_535, 65_535, 65_535, 65_535]);
  });
});

describe('macros', () => {
  it('reach the handler by name, and the lists a filter wants reach the MTA', async () => {
    const seen: (string | null)[] = [];
    const macros = [{ stage: 'mail', names: ['i', '{auth_authen}'] }] as const;
    const { client } = await connectBoth(
      (session) => ({
        mail: () => void seen.push(session.macro('{auth_authen}')),
        endOfMessage: () => void seen.push(session.macro('i')),
      }),
      { wishes: { ...wishes, macros } },
    );
    await greet(client);
    const message = { sender, recipients, raw: bytesOf('\r\n') };
    await client.sendMessage({
      ...message,
      macros: { mail: [['{auth_authen}', 'ann']], 'end-of-message': [['i', 'Q1']] },
    });
    await client.sendMessage(message);
    expect(seen).toEqual(['ann', 'Q1', null, null]);
    expect(client.wantedMacros).toEqual(macros);
  });
});

describe('splitMessage', () => {
  it('drops blanks before a colon and begins the body where a line is no field, as Postfix does', () => {
    const { fields, body } = splitMessage(bytesOf('A \t: b\r\nno field\r\nC: d\r\n\r\n'));
    expect(fields.map((field) => field.map(latin1))).toEqual([['A', ' b']]);
    expect(latin1(body)).toBe('no field\r\nC: d\r\n\r\n');
  });
});

describe('a connection that is over', () => {
  it('leaves nothing on its stream, by which closed sockets would hold all that was served', async () => {
    const { client, served, ended } = await connectBoth(() => ({}));
    await greet(client);
    await client.sendMessage({ sender, recipients, raw: bytesOf('A: b\r\n\r\nbody') });
    await client.quit();
    await ended;
    expect(served.closed).toBe(true);
    expect(served.eventNames()).toEqual([]);
  });
});

describe('a connection that is to stop', () => {
  const message = { sender, recipients, raw: bytesOf('A: b\r\n\r\nbody') };

  it('ends at once between messages', async () => {
    const { client, connection, ended, stream } = await connectBoth(() => ({}));
    await greet(client);
    await client.sendMessage(message);
    connection.stop();
    stream.end();
    expect(await ended).toMatchObject({ reason: 'stopped', messages: 1 });
    await expect(client.sendMessage(message)).rejects.toMatchObject({ code: 'milter.connection-lost' });
  });

  it('ends when the message in progress is answered, and not before', async () => {
    const { promise: decision, resolve: decide } = Promise.withResolvers<Verdict>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { client, connection, ended } = await connectBoth(() => ({
      async endOfMessage() {
        reach();
        return { verdict: await decision };
      },
    }));
    await greet(client);
    await client.step({ kind: 'mail', ...sender });
    connection.stop();
    const rest = (async () => {
      await client.step({ kind: 'end-of-header' });
      return client.endOfMessage();
    })();
    await reached;
    connection.stop();
    decide({ kind: 'accept' });
    expect(await rest).toMatchObject({ verdict: { kind: 'accept' } });
    expect(await ended).toMatchObject({ reason: 'stopped', messages: 1 });
  });
});
