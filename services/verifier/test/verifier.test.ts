import { once } from 'node:events';
import { openDatabase } from '@zegel/database';
import type { Database } from '@zegel/database';
import { ZoneResolver } from '@zegel/dns';
import type { Resolver, ZoneDeclaration } from '@zegel/dns';
import { FileMessageStore, MessageMissingError, MessageStoreFullError, openInboundQueue } from '@zegel/mail-queue';
import type { InboundQueue, InboundRecord, MessageBytes } from '@zegel/mail-queue';
import { createLogger, createTelemetry, readConfig } from '@zegel/service-runtime';
import {
  conformanceFile,
  loadConformance,
  patience,
  startPostgres,
  startRedis,
  temporaryFolder,
} from '@zegel/test-harness';
import type { PostgresServer } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startVerifier } from '../src/index.ts';

const hello = message('From: Alice <alice@example.test>', 'Subject: Hello', '', 'Hello Bob');
const session = { session: { ip: '192.0.2.1', helo: 'h.test' }, envelope: { mailFrom: 'alice@example.test' } };

function message(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
}

/** A worker on stores of its own, and the queue that feeds it. */
interface TestVerifier extends AsyncDisposable {
  readonly queue: InboundQueue;
  /** What every look-up is answered from. */
  readonly zone: Record<string, ZoneDeclaration[string]>;
  /** As at SIGTERM. */
  askToStop(): void;
  /** Resolves when the worker has stopped. */
  stopped(): Promise<void>;
  log(): string;
  /** The lines of the log. */
  entries(): readonly Readonly<Record<string, unknown>>[];
  metrics(): Promise<string>;
}

interface TestVerifierOptions {
  readonly database?: Database;
  readonly redisUrl?: string;
  readonly resolver?: Resolver;
  readonly Store?: typeof FileMessageStore;
  readonly env?: Readonly<Record<string, string>>;
}

async function startTestVerifier(options: TestVerifierOptions = {}): Promise<TestVerifier> {
  const folder = temporaryFolder('verifier');
  const config = readConfig({
    ZEGEL_DATA_DIR: folder.path,
    AUTHSERV_ID: 'mx.receiver.test',
    ZEGEL_OUR_AUTHSERV_IDS: 'old-mx.receiver.test',
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...options.env,
  });
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ service: 'test', level: 'trace', stream });
  const telemetry = createTelemetry({ service: 'test' });
  const database = options.database ?? (await openDatabase({ memory: true }));
  const store = new (options.Store ?? FileMessageStore)(`${folder.path}/messages`);
  const zone: TestVerifier['zone'] = {};
  const resolver = options.resolver ?? {
    resolve: (name: string, type: never) => new ZoneResolver(zone).resolve(name, type),
  };
  const stopping = new AbortController();
  const queue = await openInboundQueue({ database, store, redisUrl: options.redisUrl });
  const context = { config, logger, telemetry, stopping: stopping.signal };
  const verifier = await startVerifier(context, { database, store, resolver });
  const stopped = async (): Promise<void> => verifier[Symbol.asyncDispose]();
  return {
    queue,
    zone,
    askToStop: () => stopping.abort(),
    stopped,
    log: () => lines.join(''),
    entries: () => lines.map((line) => JSON.parse(line)),
    metrics: () => telemetry.render(),
    async [Symbol.asyncDispose]() {
      await stopped();
      await queue.close();
      await telemetry[Symbol.asyncDispose]();
      await database.close();
      folder.remove();
    },
  };
}

/** The record of a message once it is done. */
function whenDone(queue: InboundQueue, id: string): Promise<InboundRecord> {
  return vi.waitFor(async () => {
    const record = await queue.get(id);
    if (record?.state !== 'done') throw new Error(`the message is ${record?.state}`);
    return record;
  }, patience);
}

async function resultOf(queue: InboundQueue, id: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await queue.openResult(id))!) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The example of RFC 8463 §A.3, signed with RSA and with Ed25519; its keys go into the zone. */
function signedExample(zone: TestVerifier['zone']): Buffer {
  const { dns } = loadConformance<{ dns: TestVerifier['zone'] }>('dkim/lieser.json');
  Object.assign(zone, dns);
  return conformanceFile('dkim/lieser/rfc8463-A.3.eml');
}

const grounds: readonly (readonly [string, (use: (options: TestVerifierOptions) => Promise<void>) => Promise<void>])[] =
  [
    ['PGlite', (use) => use({})],
    [
      'Redis and PostgreSQL',
      async (use) => {
        await using postgres = await startPostgres();
        await using redis = await startRedis({ appendOnly: true });
        await use({ database: await openDatabase({ url: postgres.url }), redisUrl: redis.url });
      },
    ],
  ];

describe.each(grounds)('on %s', (_name, within) => {
  test('each message gets its report and exactly one Authentication-Results of ours, on top', () =>
    within(async (options) => {
      await using verifier = await startTestVerifier(options);
      const { queue, zone } = verifier;
      const signed = signedExample(zone);
      const forged = [
        'mx.receiver.test; dkim=pass',
        'MX.receiver.TEST 1; spf=pass',
        'old-mx.receiver.test; dmarc=pass',
      ];
      const raw = Buffer.concat([
        ...forged.map((value) => Buffer.from(`Authentication-Results: ${value}\r\n`)),
        Buffer.from('Authentication-Results: elsewhere.test; dkim=pass\r\n'),
        signed,
      ]);
      const { id } = await queue.submit(raw, session);
      const record = await whenDone(queue, id);
      expect(record).toMatchObject({
        attempts: 1,
        report: { dkim: [{ result: 'pass' }, { result: 'pass' }], dmarc: { authorDomain: 'football.example.com' } },
      });
      const result = await resultOf(queue, id);
      const text = result.toString('latin1');
      expect(text).toMatch(/^Authentication-Results: mx\.receiver\.test;[^]*dkim=pass[^]*dkim=pass/);
      expect(text.match(/^Authentication-Results:.*$/gim)).toHaveLength(2);
      expect(text).toContain('Authentication-Results: elsewhere.test; dkim=pass\r\n');
      expect(result.subarray(-signed.length).equals(signed)).toBe(true);
      await vi.waitFor(async () => {
        expect(await verifier.metrics()).toMatch(/zegel_inbound_messages_total\{state="done"\} 1\n/);
      }, patience);
    }));

  test('whatever a message holds there is an outcome', () =>
    within(async (options) => {
      await using verifier = await startTestVerifier({ ...options, env: { ZEGEL_MAX_MESSAGE_BYTES: '3000000' } });
      const { queue } = verifier;
      const many = Array.from({ length: 5_000 }, (_, n) => `X-${n}: x`);
      const inputs: readonly (readonly [Buffer, readonly string[]])[] = [
        [Buffer.alloc(0), ['message.no-header']],
        [message('To: b@example.org', '', 'x'), ['message.no-from']],
        [message('From: a@example.test', 'From: b@example.test', '', 'x'), ['message.several-from']],
        [message('From: a@example.test', ...many, ''), []],
        [message('From: a@example.test', `X: ${'x'.repeat(2_000_000)}`, ''), []],
        [Buffer.concat([hello, Buffer.alloc(4_000_000, 'x')]), []],
        [message('From: a@example.test', 'X: \0', '', '\0\xff'), []],
      ];
      for (const [raw, codes] of inputs) {
        const { id } = await queue.submit(raw, {});
        const { report, attempts } = await whenDone(queue, id);
        expect(attempts).toBe(1);
        const { notices } = report as { notices: readonly { code: string }[] };
        expect(notices.map(({ code }) => code)).toEqual(expect.arrayContaining([...codes]));
        const result = await resultOf(queue, id);
        expect(result.toString('latin1')).toMatch(/^Authentication-Results: mx\.receiver\.test;/);
        expect(result.subarray(-raw.length || result.length).equals(raw)).toBe(true);
      }
    }));
});

let postgres: PostgresServer;
beforeAll(async () => void (postgres = await startPostgres()));
afterAll(() => postgres.stop());
let databases = 0;
/** A database of the test's own, made faster than a PGlite. */
const freshDatabase = async () => openDatabase({ url: await postgres.createDatabase(`verifier_${(databases += 1)}`) });

describe('stopping', () => {
  test('finishes the message in work, and takes no more', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const resolver: Resolver = {
      async resolve(name, type) {
        asked.resolve();
        await answer.promise;
        return new ZoneResolver({}).resolve(name, type);
      },
    };
    await using verifier = await startTestVerifier({ database: await freshDatabase(), resolver });
    const { queue } = verifier;
    const { id: inWork } = await queue.submit(hello, session);
    await asked.promise;
    verifier.askToStop();
    const stopped = verifier.stopped();
    answer.resolve();
    await stopped;
    const { id: later } = await queue.submit(hello, session);
    expect((await queue.get(inWork))?.state).toBe('done');
    expect((await queue.get(later))?.state).toBe('queued');
  });

  test('lets go of a message that does not end in time, and stores nothing of it', async () => {
    const asked = Promise.withResolvers<void>();
    const resolver: Resolver = {
      async resolve(name, type, options) {
        asked.resolve();
        if (options?.signal?.aborted !== true && options?.signal !== undefined) await once(options.signal, 'abort');
        return new ZoneResolver({}).resolve(name, type);
      },
    };
    await using verifier = await startTestVerifier({
      database: await freshDatabase(),
      resolver,
      env: { ZEGEL_SHUTDOWN_GRACE_MS: '100' },
    });
    const { id } = await verifier.queue.submit(hello, session);
    await asked.promise;
    await verifier.stopped();
    expect(await verifier.queue.get(id)).toMatchObject({ report: null });
    expect(await verifier.queue.openResult(id)).toBeNull();
  });
});

/** A store that has lost every message. */
class ForgetfulStore extends FileMessageStore {
  override async open(reference: string): Promise<never> {
    throw new MessageMissingError(reference);
  }
}

/** A store that has no room for the first edited message. */
class OnceFullStore extends FileMessageStore {
  #isFull = true;

  override async put(id: string, bytes: MessageBytes): Promise<string> {
    if (!this.#isFull || !id.includes('.')) return super.put(id, bytes);
    this.#isFull = false;
    throw new MessageStoreFullError('full');
  }
}

describe('an attempt that fails', () => {
  test('is logged, and only the one that is kept counts as done', async () => {
    const env = { ZEGEL_JOB_ATTEMPTS: '1' };
    await using verifier = await startTestVerifier({ database: await freshDatabase(), env, Store: OnceFullStore });
    const { id } = await verifier.queue.submit(hello, session);
    expect(await whenDone(verifier.queue, id)).toMatchObject({ attempts: 2 });
    await vi.waitFor(() => expect(verifier.log()).toContain('inbound message authenticated'), patience);
    expect(verifier.entries().filter((entry) => entry['id'] === id)).toMatchObject([
      { level: 'warn', code: 'message-store.full', msg: 'attempt at an inbound message failed' },
      { level: 'info', msg: 'inbound message authenticated' },
    ]);
    expect(await verifier.metrics()).toMatch(/zegel_inbound_messages_total\{state="done"\} 1\n/);
    expect(await verifier.metrics()).toMatch(/zegel_authentication_results_total\{method="dmarc",result="none"\} 1\n/);
  });

  test('for the last time is logged and counted as parked', async () => {
    const env = { ZEGEL_JOB_ATTEMPTS: '1' };
    await using verifier = await startTestVerifier({ database: await freshDatabase(), env, Store: ForgetfulStore });
    const { id } = await verifier.queue.submit(hello, session);
    await vi.waitFor(() => expect(verifier.log()).toContain('inbound message parked'), patience);
    expect(verifier.entries().filter((entry) => entry['id'] === id)).toMatchObject([
      { level: 'warn', code: 'message-store.missing', msg: 'inbound message parked' },
    ]);
    const metrics = await verifier.metrics();
    expect(metrics).toMatch(/zegel_inbound_messages_total\{state="parked"\} 1\n/);
    expect(metrics).not.toContain('state="done"');
  });
});

test('the log names domains and codes, and nobody', async () => {
  await using verifier = await startTestVerifier({ database: await freshDatabase() });
  const { id } = await verifier.queue.submit(hello, session);
  await whenDone(verifier.queue, id);
  await vi.waitFor(() => expect(verifier.log()).toContain('inbound message authenticated'), patience);
  const log = verifier.log();
  expect(log).toContain('"authorDomain":"example.test"');
  for (const secret of ['alice', 'Alice', 'Bob', '192.0.2.1', 'h.test']) expect(log).not.toContain(secret);
});
