import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { encodeCommand, encodeFrame, encodeReply, fullOffer, milterLimits, openMilter } from '../src/index.ts';
import type { Command, MilterHandler, Reply } from '../src/index.ts';
import { anyCommand } from './arbitraries.ts';
import { bytesOf, connectBoth, exchange, greet, offerBytes, replyCodes, serveRaw } from './connection.ts';

const connect: Command = { kind: 'connect', hostname: 'h', client: { family: 'unknown' } };
const mail: Command = { kind: 'mail', address: '<a@b>', parameters: [] };
const recipient: Command = { kind: 'recipient', address: '<a@b>', parameters: [] };
const field: Command = { kind: 'header', name: bytesOf('A'), value: bytesOf('') };
const endOfHeader: Command = { kind: 'end-of-header' };
const queueId = (stage: 'mail' | 'end-of-header', id: string): Command => ({
  kind: 'macros',
  stage,
  values: [['i', id]],
});
const encoded = (...commands: Command[]): Buffer => Buffer.concat(commands.map(encodeCommand));

/** A handler that counts how often it was told of a beginning and of an end. */
function counting(): { readonly handler: MilterHandler; readonly counts: Record<'mail' | 'over' | 'close', number> } {
  const counts = { mail: 0, over: 0, close: 0 };
  const handler: MilterHandler = {
    mail: () => void counts.mail++,
    endOfMessage: () => void counts.over++,
    abort: () => void counts.over++,
    close: () => void counts.close++,
  };
  return { handler, counts };
}

describe('an MTA that does not keep to the protocol', () => {
  it.each<[string, Buffer, string]>([
    ['no negotiation', encoded(connect), 'session.out-of-order'],
    ['two negotiations', Buffer.concat([offerBytes, offerBytes]), 'session.out-of-order'],
    ['a recipient before the sender', Buffer.concat([offerBytes, encoded(connect, recipient)]), 'session.out-of-order'],
    [
      'a second DATA',
      Buffer.concat([offerBytes, encoded(connect, mail, { kind: 'data' }, { kind: 'data' })]),
      'session.out-of-order',
    ],
    ['an unknown code', Buffer.concat([offerBytes, encodeFrame('Z', bytesOf(''))]), 'command.unknown'],
    ['a malformed command', Buffer.concat([offerBytes, encodeFrame('H', bytesOf('x'))]), 'command.malformed'],
    ['an empty frame', Buffer.concat([offerBytes, Buffer.alloc(4)]), 'frame.empty'],
    ['a body before any agreement', encodeFrame('B', bytesOf('x')), 'frame.too-large'],
    ['a frame of 4 GB', Buffer.concat([offerBytes, Buffer.from('ffffffff42', 'hex')]), 'frame.too-large'],
    ['HTTP', bytesOf('GET / HTTP/1.1\r\n\r\n'), 'frame.too-large'],
  ])('by %s loses its connection', async (_what, bytes, code) => {
    const { handler, counts } = counting();
    const connection = serveRaw(() => handler);
    await exchange(connection, [bytes]);
    expect(await connection.ended).toMatchObject({ reason: 'protocol', code });
    expect(counts.over).toBe(counts.mail);
  });

  it('by giving a message up without an ABORT keeps it: the next MAIL or HELO says the same', async () => {
    const heard: string[] = [];
    const connection = serveRaw((session) => ({
      helo: () => void heard.push('helo'),
      mail: () => void heard.push(`mail ${session.macro('i')}`),
      abort: () => void heard.push('abort'),
      close: () => void heard.push('close'),
    }));
    const first = encoded(connect, queueId('mail', '1'), mail, recipient, queueId('end-of-header', '1'), endOfHeader);
    const others = encoded(queueId('mail', '2'), mail, { kind: 'helo', name: 'h' }, mail, { kind: 'quit' });
    await exchange(connection, [offerBytes, first, others]);
    expect(heard).toEqual(['mail 1', 'abort', 'mail 2', 'abort', 'helo', 'mail null', 'abort', 'close']);
    expect(await connection.ended).toMatchObject({ reason: 'quit', messages: 0 });
  });

  it('by body chunks above what was agreed loses its connection', async () => {
    const connection = serveRaw(() => ({}));
    const envelope = encoded(connect, mail, endOfHeader);
    const sizes = [65_535, 65_536].map((size) => encodeFrame('B', Buffer.alloc(size)));
    expect(replyCodes(await exchange(connection, [offerBytes, envelope, ...sizes]))).toBe('Occcc');
    expect(await connection.ended).toMatchObject({ reason: 'protocol', code: 'frame.too-large' });
  });

  it('by more recipients or frames than are allowed loses its connection', async () => {
    const limits = { ...milterLimits, maxRecipients: 3, maxMessageFrames: 10 };
    const many = (command: Command, count: number) => encoded(...Array.from({ length: count }, () => command));
    const ends = ['session.too-many-recipients', 'session.too-many-frames', 'session.too-many-frames'];
    const sent = [many(recipient, 4), many({ kind: 'header', name: bytesOf('A'), value: bytesOf('') }, 11)];
    for (const [index, bytes] of [...sent, many({ kind: 'abort' }, 11)].entries()) {
      const connection = serveRaw(() => ({}), { limits });
      const start = index < 2 ? encoded(connect, mail) : encoded(connect);
      await exchange(connection, [offerBytes, start, bytes]);
      expect(await connection.ended).toMatchObject({ reason: 'protocol', code: ends[index] });
    }
    const ten = encoded(mail, recipient, recipient, recipient, endOfHeader, { kind: 'abort' });
    const connection = serveRaw(() => ({}), { limits });
    await exchange(connection, [offerBytes, encoded(connect), ten, ten, ten, encoded({ kind: 'quit' })]);
    expect(await connection.ended).toMatchObject({ reason: 'quit' });
  });

  it('or that offers too little is refused', async () => {
    const connection = serveRaw(() => ({}));
    const offer = encodeCommand({ kind: 'negotiate', ...fullOffer, actions: 0x1 });
    expect(await exchange(connection, [offer])).toHaveLength(0);
    expect(await connection.ended).toMatchObject({ reason: 'refused', code: 'negotiation.actions' });
  });

  it('cut anywhere never makes a session throw, and every message is over once', async () => {
    const whole = Buffer.concat([offerBytes, encoded(connect, mail, recipient, endOfHeader, { kind: 'data' })]);
    const bodies = encoded(
      { kind: 'body', chunk: Buffer.alloc(50) },
      { kind: 'end-of-message', chunk: Buffer.alloc(3) },
    );
    const session = Buffer.concat([whole.subarray(0, -5), bodies]);
    for (let length = 0; length <= session.length; length++) {
      const { handler, counts } = counting();
      const connection = serveRaw(() => handler);
      await exchange(connection, [session.subarray(0, length)]);
      expect((await connection.ended).reason).toMatch(/^(?:lost|closed)$/);
      expect(counts.over).toBe(counts.mail);
      expect(counts.close).toBeLessThanOrEqual(1);
    }
  });

  it('saying anything in any order gets an end, and every message is over once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyCommand, { maxLength: 12 }),
        fc.uint8Array({ maxLength: 20 }),
        async (commands, rest) => {
          const { handler, counts } = counting();
          let sessions = 0;
          const connection = serveRaw(() => {
            sessions++;
            return handler;
          });
          const start = encoded(connect, mail);
          await exchange(connection, [offerBytes, start, ...commands.map(encodeCommand), rest]);
          expect((await connection.ended).reason).toMatch(/^(?:quit|closed|lost|protocol)$/);
          expect(counts.over).toBe(counts.mail);
          expect(counts.close).toBe(sessions);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('and is silent is left after the idle time', async () => {
    const { handler, counts } = counting();
    const connection = serveRaw(() => handler, { idleMs: 30 });
    connection.stream.resume();
    connection.stream.write(Buffer.concat([offerBytes, encoded(connect, mail)]));
    expect(await connection.ended).toMatchObject({ reason: 'idle', code: 'connection.silent' });
    expect(counts).toEqual({ mail: 1, over: 1, close: 1 });
  });

  it('and is silent between messages is left without a word', async () => {
    const connection = serveRaw(() => ({}), { idleMs: 30 });
    connection.stream.resume();
    connection.stream.write(Buffer.concat([offerBytes, encoded(connect)]));
    expect(await connection.ended).toMatchObject({ reason: 'idle', code: null });
  });

  it('and is silent while it hands over a message is left earlier, if that is wished', async () => {
    const connection = serveRaw(() => ({}), { idleMs: 20_000, commandMs: 30 });
    connection.stream.resume();
    connection.stream.write(Buffer.concat([offerBytes, encoded(connect, mail, field)]));
    expect(await connection.ended).toMatchObject({ reason: 'idle', code: 'connection.silent' });
  });

  it.each<[string, Command[]]>([
    ['the recipients', [connect, mail]],
    ['the data', [connect, mail, { kind: 'data' }]],
  ])('may take longer for %s, which its client says', async (_what, commands) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const connection = serveRaw(() => ({}), { idleMs: 7_200_000, commandMs: 300_000 });
      let isOver = false;
      void connection.ended.then(() => (isOver = true));
      connection.stream.resume();
      connection.stream.write(Buffer.concat([offerBytes, encoded(...commands)]));
      await vi.advanceTimersByTimeAsync(7_199_000);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await connection.ended).toMatchObject({ reason: 'idle', code: 'connection.silent' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('and does not read its replies is left after the idle time, with nothing more taken from it', async () => {
    let fields = 0;
    const connection = serveRaw(() => ({ header: () => void fields++ }), { idleMs: 30 });
    const header = encoded(field);
    const sent = 30_000;
    connection.stream.write(
      Buffer.concat([offerBytes, encoded(connect, mail), ...Array.from({ length: sent }, () => header)]),
    );
    expect(await connection.ended).toMatchObject({ reason: 'idle' });
    expect(fields).toBeGreaterThan(1000);
    expect(fields).toBeLessThan(sent);
  });

  it.each<[string, Command[], string]>([
    ['between messages is closed', [connect, mail, { kind: 'abort' }], 'closed'],
    ['inside a message is lost', [connect, mail], 'lost'],
  ])('without QUIT %s', async (_what, commands, reason) => {
    const connection = serveRaw(() => ({}));
    await exchange(connection, [offerBytes, encoded(...commands)]);
    expect(await connection.ended).toMatchObject({ reason });
  });

  it('and goes away aborts what is being done for it', async () => {
    const { client, ended, stream } = await connectBoth((session) => ({
      endOfMessage: () =>
        new Promise((_resolve, reject) => {
          session.signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
          stream.destroy(new Error('gone'));
        }),
    }));
    await greet(client);
    await client.step(mail);
    await client.step({ kind: 'end-of-header' });
    await expect(client.endOfMessage()).rejects.toMatchObject({ code: 'milter.connection-lost' });
    expect(await ended).toMatchObject({ reason: 'lost', messages: 0 });
  });
});

describe('an MTA that goes away while a handler works', () => {
  it('has lost its connection, even if the handler takes no notice', async () => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: worked, resolve: work } = Promise.withResolvers<void>();
    const { client, ended, served, stream } = await connectBoth(() => ({
      endOfHeader: () => {
        reach();
        return worked;
      },
    }));
    await greet(client);
    await client.step(mail);
    stream.write(encoded(endOfHeader));
    await reached;
    served.destroy();
    work();
    expect(await ended).toMatchObject({ reason: 'lost' });
  });
});

describe('a handler', () => {
  const session = [offerBytes, encoded(connect, mail, endOfHeader, { kind: 'end-of-message', chunk: bytesOf('') })];

  it('may take longer than the MTA may be idle', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const connection = serveRaw(() => ({ endOfMessage: () => void vi.advanceTimersByTime(100_000) }), {
        idleMs: 1000,
      });
      expect(replyCodes(await exchange(connection, session))).toBe('Occcc');
      expect(await connection.ended).toMatchObject({ reason: 'closed', messages: 1 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('that throws makes the MTA try later, and the caller hears of it', async () => {
    const { handler, counts } = counting();
    const broken = new Error('broken');
    const connection = serveRaw(() => ({
      ...handler,
      endOfMessage: () => {
        throw broken;
      },
    }));
    expect(replyCodes(await exchange(connection, session))).toBe('Occct');
    await expect(connection.ended).rejects.toBe(broken);
    expect(counts.close).toBe(1);
  });

  it.each<[string, MilterHandler]>([
    ['answers a step it declared silent', { mail: () => ({ kind: 'reject' }) }],
    [
      'changes what it did not declare',
      { endOfMessage: () => ({ modifications: [{ kind: 'quarantine', reason: 'x' }] }) },
    ],
  ])('that %s has made a mistake', async (_what, handler) => {
    const connection = serveRaw(() => handler, { wishes: { actions: ['add-header'], silent: ['mail'] } });
    const codes = replyCodes(await exchange(connection, session));
    expect(codes.at(-1)).toBe('t');
    await expect(connection.ended).rejects.toMatchObject({ code: 'milter.usage' });
  });
});

/** Says a message to a filter that answers what it was given, whatever it hears. */
async function talkTo(replies: readonly (Reply | Buffer)[]): Promise<unknown> {
  const [stream, filter] = duplexPair();
  filter.on('error', () => {}).resume();
  for (const reply of replies) filter.write(Buffer.isBuffer(reply) ? reply : encodeReply(reply));
  const client = await openMilter(stream, { timeoutMs: 30 });
  await client.step({ kind: 'connect', hostname: 'h', client: { family: 'unknown' } });
  await client.step({ kind: 'mail', address: '<a@b>', parameters: [] });
  await client.step({ kind: 'end-of-header' });
  return client.endOfMessage();
}

describe('a filter that does not keep to the protocol', () => {
  const negotiated: Reply = { kind: 'negotiate', version: 6, actions: 0x1, protocol: 0, macros: [] };

  const proceed: Reply[] = [negotiated, { kind: 'continue' }, { kind: 'continue' }, { kind: 'continue' }];

  it.each<[string, (Reply | Buffer)[], string]>([
    ['asks for more than it was offered', [{ ...negotiated, version: 7 }], 'milter.protocol'],
    ['asks for bits it was not offered', [{ ...negotiated, protocol: 0x1000_0000 }], 'milter.protocol'],
    ['does not negotiate', [{ kind: 'continue' }], 'milter.protocol'],
    ['answers skip to no body', [negotiated, { kind: 'skip' }], 'milter.protocol'],
    ['changes a message too early', [negotiated, { kind: 'quarantine', reason: '' }], 'milter.protocol'],
    ['changes what was not agreed', [...proceed, { kind: 'quarantine', reason: '' }], 'milter.protocol'],
    ['sends garbage', [negotiated, bytesOf('HTTP/1.1 400 Bad Request')], 'milter.protocol'],
    ['sends a malformed reply', [negotiated, encodeFrame('y', bytesOf('hello\0'))], 'milter.protocol'],
    ['says nothing', proceed, 'milter.timeout'],
  ])('because it %s is a failure', async (_what, replies, code) => {
    await expect(talkTo(replies)).rejects.toMatchObject({ code });
  });

  it('and one that does is none', async () => {
    expect(await talkTo([...proceed, { kind: 'progress' }, { kind: 'accept' }])).toMatchObject({
      verdict: { kind: 'accept' },
    });
  });
});

describe('a client', () => {
  it('used out of order has made a mistake, and the connection lives on', async () => {
    const { client } = await connectBoth(() => ({}));
    await expect(client.step({ kind: 'end-of-header' })).rejects.toMatchObject({ code: 'milter.usage' });
    await expect(client.endOfMessage()).rejects.toMatchObject({ code: 'milter.usage' });
    await greet(client);
    await client.step({ kind: 'mail', address: '<a@b>', parameters: [] });
    await client.step({ kind: 'end-of-header' });
    await expect(client.step({ kind: 'body', chunk: Buffer.alloc(65_536) })).rejects.toMatchObject({
      code: 'milter.usage',
    });
    expect(await client.endOfMessage()).toMatchObject({ verdict: { kind: 'continue' } });
  });
});
