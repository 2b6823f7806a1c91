import { randomUUID } from 'node:crypto';
import { DatabaseUnavailableError } from '@zegel/database';
import { patience } from '@zegel/test-harness';
import { Queue, Worker, createPostgresBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { attemptMessage } from '../src/attempt.ts';
import {
  MessageStoreFullError,
  MessageStoreUnavailableError,
  openInboundQueue,
  startInboundWorker,
} from '../src/index.ts';
import type {
  FailedAttempt,
  InboundOutcome,
  InboundQueue,
  InboundQueueOptions,
  InboundWorkerOptions,
} from '../src/index.ts';
import { InboundRecords } from '../src/inbound-record.ts';
import { QUEUE_NAME, QUEUE_PREFIX, postgresConnection } from '../src/job-queue.ts';
import { GROUNDS } from './grounds.ts';
import type { TestGround } from './grounds.ts';

const MESSAGE = Buffer.from('From: a@example.test\r\nSubject: secret words\r\n\r\nThe body.\r\n');
const SESSION = { ip: '192.0.2.1', helo: 'mx.example.test', mailFrom: 'a@example.test' };

async function text(bytes: AsyncIterable<Uint8Array> | null): Promise<string | null> {
  if (bytes === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

async function* edited(message: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from('Authentication-Results: mx.example.test; none\r\n');
  yield* message;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, resolve };
}

const settle = (queue: InboundQueue, id: string, state: string) =>
  vi.waitFor(async () => {
    const record = await queue.get(id);
    expect(record?.state).toBe(state);
    return record!;
  }, patience);

async function* hangingUp(): AsyncGenerator<Uint8Array> {
  yield MESSAGE;
  throw new Error('the sender hung up');
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield MESSAGE;
  throw error;
}

const nothing = async (): Promise<void> => undefined;

describe.each(GROUNDS)('inbound mail on %s', (_name, start) => {
  let place: TestGround;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    place = await start();
  });

  afterEach(async () => {
    for (const part of open.splice(0).toReversed()) await part.close();
    await place.reset();
  });

  afterAll(() => place[Symbol.asyncDispose]());

  async function openQueue(options: Partial<InboundQueueOptions> = {}): Promise<InboundQueue> {
    const queue = await openInboundQueue({ ...place.ground, ...options });
    open.push(queue);
    return queue;
  }

  async function startWorker(
    process: InboundWorkerOptions['process'],
    options: Partial<InboundWorkerOptions> = {},
  ): Promise<{ close(): Promise<void> }> {
    const worker = await startInboundWorker({
      ...place.ground,
      process,
      backoff: 10,
      reconcileInterval: 50,
      ...options,
    });
    open.push(worker);
    return worker;
  }

  /** A message that is done, with an edited message, one that is parked and one that waits with no worker about. */
  async function oneOfEach(
    queue: InboundQueue,
    options: Partial<InboundWorkerOptions> = {},
  ): Promise<Readonly<Record<'done' | 'parked' | 'waiting', string>>> {
    let fail = false;
    const worker = await startWorker(
      async ({ open: read }) => {
        if (fail) throw new Error('no');
        return { report: {}, result: edited(read()) };
      },
      { attempts: 1, ...options },
    );
    const { id: done } = await queue.submit(MESSAGE, SESSION);
    await settle(queue, done, 'done');
    fail = true;
    const { id: parked } = await queue.submit(MESSAGE, SESSION);
    await settle(queue, parked, 'parked');
    await worker.close();
    const { id: waiting } = await queue.submit(MESSAGE, SESSION);
    return { done, parked, waiting };
  }

  async function resultsOf(id: string): Promise<number[]> {
    const found: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      if (await place.store.size(`${id}.${attempt}`).catch(() => null)) found.push(attempt);
    }
    return found;
  }

  test('a message goes in, is looked at and comes out, with its report', async () => {
    const queue = await openQueue();
    const seen: unknown[] = [];
    await startWorker(async ({ id, session, open }) => {
      seen.push([id, session, await text(open())]);
      return { report: { dkim: ['pass'] }, result: edited(open()) };
    });
    const { id } = await queue.submit(MESSAGE, SESSION);
    const record = await settle(queue, id, 'done');
    expect(seen).toEqual([[id, SESSION, MESSAGE.toString('latin1')]]);
    expect(record).toMatchObject({
      id,
      report: { dkim: ['pass'] },
      session: SESSION,
      attempts: 1,
      bytes: MESSAGE.length,
      hasResult: true,
      error: null,
    });
    expect(await text(await queue.openMessage(id))).toBe(MESSAGE.toString('latin1'));
    expect(await text(await queue.openResult(id))).toMatch(/^Authentication-Results: [^]*The body\.\r\n$/);
    await vi.waitFor(async () => expect((await queue.counts()).jobs).toEqual({ waiting: 0, delayed: 0, active: 0 }));
    expect((await queue.counts()).messages).toEqual({ queued: 0, verifying: 0, done: 1, parked: 0 });
    await expect(queue.ping()).resolves.toBeUndefined();
  });

  test('a message that is not edited has no result', async () => {
    const queue = await openQueue();
    await startWorker(async () => ({ report: null, result: null }));
    const { id } = await queue.submit(MESSAGE, SESSION);
    expect(await settle(queue, id, 'done')).toMatchObject({ hasResult: false, report: null });
    expect(await queue.openResult(id)).toBeNull();
  });

  test('many messages and two workers: each message is done once', async () => {
    const queue = await openQueue();
    const seen: string[] = [];
    const process = async ({ id }: { id: string }): Promise<InboundOutcome> => {
      seen.push(id);
      return { report: {}, result: null };
    };
    await startWorker(process);
    await startWorker(process);
    const ids = (await Promise.all(Array.from({ length: 30 }, () => queue.submit(MESSAGE, SESSION)))).map(
      ({ id }) => id,
    );
    await vi.waitFor(async () => expect((await queue.counts()).messages.done).toBe(30), patience);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  test('nothing of the message is in the queue', async () => {
    const queue = await openQueue();
    await startWorker(
      async ({ open }) => {
        throw new Error(`cannot cope with ${await text(open())}`);
      },
      { backoff: 600_000 },
    );
    const { id } = await queue.submit(MESSAGE, SESSION);
    await vi.waitFor(async () => expect((await queue.get(id))?.error?.code).toBe('unexpected'), patience);
    await vi.waitFor(async () => expect((await queue.counts()).jobs.delayed).toBe(1), patience);
    const held = await place.queueText();
    expect(held).toContain(id);
    expect(held).not.toMatch(/secret words|The body|example\.test|cannot cope/);
  });

  test('what PostgreSQL cannot hold in JSON does not stop a message', async () => {
    const queue = await openQueue();
    await startWorker(async () => ({ report: { helo: 'a\0b', domain: '\ud800', ok: '\\u0000' }, result: null }));
    const { id } = await queue.submit(MESSAGE, { helo: 'x\0y' });
    expect(await settle(queue, id, 'done')).toMatchObject({
      session: { helo: 'x\ufffdy' },
      report: { helo: 'a\ufffdb', domain: '\ufffd', ok: '\\u0000' },
    });
  });

  test('an unknown id is null, whatever it is made of', async () => {
    const queue = await openQueue();
    for (const id of [randomUUID(), 'x', '../etc/passwd', "'; drop table", '']) {
      expect(await queue.get(id)).toBeNull();
      expect(await queue.openMessage(id)).toBeNull();
      expect(await queue.openResult(id)).toBeNull();
      expect(await queue.retry(id)).toBe(false);
    }
  });

  describe('what fails', () => {
    test('for want of infrastructure is tried again, and leaves one result', async () => {
      const queue = await openQueue();
      let calls = 0;
      await startWorker(async ({ open }) => {
        calls += 1;
        if (calls === 1) throw Object.assign(new Error('no DNS'), { code: 'dns.unavailable' });
        const result = edited(open());
        if (calls === 2) {
          return {
            report: {},
            result: (async function* () {
              yield* result;
              throw new Error('cut off');
            })(),
          };
        }
        return { report: { calls }, result };
      });
      const { id } = await queue.submit(MESSAGE, SESSION);
      expect(await settle(queue, id, 'done')).toMatchObject({ attempts: 3, report: { calls: 3 }, error: null });
      expect(await resultsOf(id)).toEqual([3]);
    });

    test('again and again is parked with its bytes, and can be put back', async () => {
      const queue = await openQueue();
      let broken = true;
      await startWorker(
        async ({ open }) => {
          if (broken) throw Object.assign(new Error('no DNS'), { code: 'dns.unavailable' });
          return { report: {}, result: edited(open()) };
        },
        { attempts: 3 },
      );
      const { id } = await queue.submit(MESSAGE, SESSION);
      expect(await settle(queue, id, 'parked')).toMatchObject({
        attempts: 3,
        error: { code: 'dns.unavailable', text: 'no DNS' },
      });
      expect(await text(await queue.openMessage(id))).toBe(MESSAGE.toString('latin1'));
      expect(await queue.openResult(id)).toBeNull();
      await vi.waitFor(async () => expect((await queue.counts()).jobs).toEqual({ waiting: 0, delayed: 0, active: 0 }));
      expect(await queue.reconcile()).toEqual({ added: [] });

      broken = false;
      expect(await queue.retry(id)).toBe(true);
      expect(await settle(queue, id, 'done')).toMatchObject({ attempts: 4, error: null });
      expect(await queue.retry(id)).toBe(false);
      expect(await resultsOf(id)).toEqual([4]);
    });

    test('for want of a store or the database waits for them, and is done once', async () => {
      const queue = await openQueue();
      const lost = [
        new MessageStoreFullError('full'),
        new MessageStoreUnavailableError('away'),
        new DatabaseUnavailableError('away'),
        new Error('broken'),
        new MessageStoreFullError('full again'),
      ];
      const failures: FailedAttempt[] = [];
      const done: number[] = [];
      let calls = 0;
      await startWorker(
        async ({ open }) => {
          const call = (calls += 1);
          const error = lost.shift();
          const result = error === undefined ? edited(open()) : failing(error);
          return { report: {}, result, onDone: () => void done.push(call) };
        },
        { attempts: 2, maxStalledCount: 1, onFailure: (failure) => void failures.push(failure) },
      );
      const { id } = await queue.submit(MESSAGE, SESSION);
      expect(await settle(queue, id, 'done')).toMatchObject({ attempts: 6, error: null });
      expect(await resultsOf(id)).toEqual([6]);
      await vi.waitFor(() => expect(done).toEqual([6]), patience);
      expect(failures).toEqual(
        [
          'message-store.full',
          'message-store.unavailable',
          'database.unavailable',
          'unexpected',
          'message-store.full',
        ].map((code) => ({ id, code, isParked: false })),
      );
    });

    test('is told, and so is that a message is parked', async () => {
      const queue = await openQueue();
      const failures: FailedAttempt[] = [];
      await startWorker(
        async () => {
          throw new Error('broken');
        },
        { attempts: 2, onFailure: (failure) => void failures.push(failure) },
      );
      const { id } = await queue.submit(MESSAGE, SESSION);
      await vi.waitFor(() => {
        expect(failures).toEqual([false, true].map((isParked) => ({ id, code: 'unexpected', isParked })));
      }, patience);
      expect((await queue.get(id))?.state).toBe('parked');
    });

    test('by the death of its workers is parked in the end', async () => {
      const queue = await openQueue();
      const { id } = await queue.submit(MESSAGE, SESSION);
      const records = new InboundRecords(place.database.db, () => new Date());
      // Each claim without an end is what a worker leaves that dies in the attempt.
      for (let death = 0; death < 5; death += 1) await records.claim(id);
      await startWorker(async () => ({ report: {}, result: null }), { attempts: 3, maxStalledCount: 2 });
      expect(await settle(queue, id, 'parked')).toMatchObject({ attempts: 6, error: { code: 'queue.stalled' } });
      expect(await text(await queue.openMessage(id))).toBe(MESSAGE.toString('latin1'));
    });
  });

  describe('submit', () => {
    test('refuses above the limit, and leaves nothing', async () => {
      const queue = await openQueue({ maxWaiting: 2 });
      await queue.submit(MESSAGE, SESSION);
      await queue.submit(MESSAGE, SESSION);
      await expect(queue.submit(MESSAGE, SESSION)).rejects.toMatchObject({ code: 'queue.full' });
      const { messages, jobs } = await queue.counts();
      expect([messages.queued, jobs.waiting]).toEqual([2, 2]);
    });

    test('leaves nothing when the sender hangs up', async () => {
      const queue = await openQueue();
      await expect(queue.submit(hangingUp(), SESSION)).rejects.toThrow('the sender hung up');
      expect((await queue.counts()).messages.queued).toBe(0);
    });

    test('refuses a session that is no JSON or too large', async () => {
      const queue = await openQueue();
      const circular: { self?: unknown } = {};
      circular.self = circular;
      for (const session of [circular, { big: 1n }, { helo: 'x'.repeat(70_000) }]) {
        await expect(queue.submit(MESSAGE, session)).rejects.toMatchObject({ code: 'queue.invalid-session' });
      }
    });
  });

  describe('reconcile', () => {
    test('brings back the jobs of a queue that has lost its memory', async () => {
      const queue = await openQueue();
      const ids = (await Promise.all([1, 2, 3].map(() => queue.submit(MESSAGE, SESSION)))).map(({ id }) => id);
      expect(await queue.reconcile()).toEqual({ added: [] });
      await place.loseQueue();
      expect([...(await queue.reconcile()).added].toSorted()).toEqual(ids.toSorted());
      expect(await queue.reconcile()).toEqual({ added: [] });
      await startWorker(async () => ({ report: {}, result: null }));
      await vi.waitFor(async () => expect((await queue.counts()).messages.done).toBe(3), patience);
    });

    test('walks more messages than fit in one page', async () => {
      const queue = await openQueue();
      await Promise.all(Array.from({ length: 205 }, () => queue.submit(Buffer.from('x'), {})));
      await place.loseQueue();
      expect((await queue.reconcile()).added).toHaveLength(205);
      expect((await queue.counts()).jobs.waiting).toBe(205);
    });

    test('is not misled by a job that BullMQ remembers as completed', async () => {
      const queue = await openQueue();
      const { id } = await queue.submit(MESSAGE, SESSION);
      await place.loseQueue();
      const { redisUrl } = place.ground;
      const client = redisUrl === undefined ? null : new Redis(redisUrl, { maxRetriesPerRequest: null });
      const options = client === null ? null : { connection: client, prefix: QUEUE_PREFIX };
      const other =
        options === null
          ? new Queue(QUEUE_NAME, postgresConnection(place.database), createPostgresBackend)
          : new Queue(QUEUE_NAME, options);
      await other.add('verify', { id }, { jobId: id });
      const idle =
        options === null
          ? new Worker(QUEUE_NAME, nothing, postgresConnection(place.database), createPostgresBackend)
          : new Worker(QUEUE_NAME, nothing, options);
      await vi.waitFor(async () => expect(await other.getJobState(id)).toBe('completed'), patience);
      await idle.close();
      await other.close();
      client?.disconnect();

      expect(await queue.reconcile()).toEqual({ added: [id] });
      await startWorker(async () => ({ report: {}, result: null }));
      await settle(queue, id, 'done');
    });

    test('is done by the worker itself', async () => {
      const queue = await openQueue();
      const { id } = await queue.submit(MESSAGE, SESSION);
      await place.loseQueue();
      await startWorker(async () => ({ report: {}, result: null }));
      expect(await settle(queue, id, 'done')).toMatchObject({ attempts: 1 });
    });
  });

  test('two workers on one message at once make one outcome with one result', async () => {
    const queue = await openQueue();
    const { id } = await queue.submit(MESSAGE, SESSION);
    const records = new InboundRecords(place.database.db, () => new Date());
    const options = { records, store: place.store, attempts: 5, maxStalledCount: 5 };
    const [begun, go] = [deferred(), deferred()];
    const late = attemptMessage(id, new AbortController().signal, {
      ...options,
      process: async ({ open }) => {
        begun.resolve();
        await go.promise;
        return { report: 'late', result: edited(open()) };
      },
    });
    await begun.promise;
    await attemptMessage(id, new AbortController().signal, {
      ...options,
      process: async ({ open }) => ({ report: 'prompt', result: edited(open()) }),
    });
    go.resolve();
    await late;
    expect(await queue.get(id)).toMatchObject({ state: 'done', report: 'prompt', attempts: 2 });
    expect(await resultsOf(id)).toEqual([2]);
    // And a third one finds nothing to do.
    const never = vi.fn<InboundWorkerOptions['process']>();
    await attemptMessage(id, new AbortController().signal, { ...options, process: never });
    expect(never).not.toHaveBeenCalled();
  });

  test('a database lost just after the last update leaves the result where it is', async () => {
    const queue = await openQueue();
    const { id } = await queue.submit(MESSAGE, SESSION);
    const records = new InboundRecords(place.database.db, () => new Date());
    const finish = records.finish.bind(records);
    vi.spyOn(records, 'finish').mockImplementationOnce(async (...parameters) => {
      await finish(...parameters);
      throw new DatabaseUnavailableError('the connection was lost');
    });
    const options = { records, store: place.store, attempts: 5, maxStalledCount: 5 };
    const attempt = attemptMessage(id, new AbortController().signal, {
      ...options,
      process: async ({ open }) => ({ report: 1, result: edited(open()) }),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'database.unavailable' });
    expect(await queue.get(id)).toMatchObject({ state: 'done', error: null });
    expect(await text(await queue.openResult(id))).toContain('The body.');
  });

  test('the sweep removes what was done long ago, and nothing else', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const queue = await openQueue({ now: () => now });
    const { done: old, parked, waiting } = await oneOfEach(queue, { now: () => now });

    now = new Date('2026-01-07T23:59:00Z');
    expect(await queue.sweep()).toBe(0);
    now = new Date('2026-01-08T00:01:00Z');
    expect(await queue.sweep()).toBe(1);
    expect(await queue.get(old)).toBeNull();
    expect(await queue.openMessage(old)).toBeNull();
    await expect(place.store.open(old)).rejects.toMatchObject({ code: 'message-store.missing' });
    expect(await resultsOf(old)).toEqual([]);
    expect((await queue.get(parked))?.state).toBe('parked');
    expect((await queue.get(waiting))?.state).toBe('queued');
    expect(await text(await queue.openMessage(waiting))).toBe(MESSAGE.toString('latin1'));
  });

  test('what is done or parked can be deleted, and nothing else', async () => {
    const queue = await openQueue();
    const { done, parked, waiting } = await oneOfEach(queue);

    for (const id of [done, parked]) {
      expect(await queue.delete(id)).toBe(true);
      expect(await queue.delete(id)).toBe(false);
      expect(await queue.get(id)).toBeNull();
      await expect(place.store.open(id)).rejects.toMatchObject({ code: 'message-store.missing' });
      expect(await resultsOf(id)).toEqual([]);
    }
    for (const id of [waiting, randomUUID(), 'x']) expect(await queue.delete(id)).toBe(false);
    expect(await text(await queue.openMessage(waiting))).toBe(MESSAGE.toString('latin1'));
  });

  test('bytes of a deleted message that the store cannot delete are litter', async () => {
    const queue = await openQueue({ now: () => new Date(Date.now() + 25 * 60 * 60_000) });
    await startWorker(async () => ({ report: {}, result: null }));
    const { id } = await queue.submit(MESSAGE, SESSION);
    await settle(queue, id, 'done');
    using lost = vi.spyOn(place.store, 'delete').mockRejectedValue(new MessageStoreUnavailableError('away'));
    expect(await queue.delete(id)).toBe(true);
    expect(lost).toHaveBeenCalled();
    lost.mockRestore();
    expect(await place.store.size(id)).toBe(MESSAGE.length);
    expect(await queue.removeLitter()).toBeGreaterThanOrEqual(1);
    await expect(place.store.size(id)).rejects.toMatchObject({ code: 'message-store.missing' });
  });

  test('bytes that belong to no message are removed after a day', async () => {
    const queue = await openQueue({ now: () => new Date(Date.now() + 25 * 60 * 60_000) });
    const { id } = await queue.submit(MESSAGE, SESSION);
    const [lost, foreign] = [randomUUID(), 'not-one-of-ours'];
    for (const reference of [lost, `${lost}.2`, foreign]) await place.store.put(reference, MESSAGE);
    const young = await openQueue();
    await young.removeLitter();
    expect(await place.store.size(lost)).toBe(MESSAGE.length);
    expect(await queue.removeLitter()).toBeGreaterThanOrEqual(2);
    await expect(place.store.size(lost)).rejects.toMatchObject({ code: 'message-store.missing' });
    await expect(place.store.size(`${lost}.2`)).rejects.toMatchObject({ code: 'message-store.missing' });
    expect(await place.store.size(id)).toBe(MESSAGE.length);
    expect(await place.store.size(foreign)).toBe(MESSAGE.length);
  });

  describe('closing a worker', () => {
    test('waits for the message in work', async () => {
      const queue = await openQueue();
      const [begun, go] = [deferred(), deferred()];
      const worker = await startWorker(async () => {
        begun.resolve();
        await go.promise;
        return { report: {}, result: null };
      });
      const { id } = await queue.submit(MESSAGE, SESSION);
      await begun.promise;
      const closed = worker.close();
      go.resolve();
      await closed;
      expect((await queue.get(id))?.state).toBe('done');
    });

    test('lets go of one that takes too long, and another worker finishes it', async () => {
      const queue = await openQueue();
      const begun = deferred();
      const worker = await startWorker(
        async ({ signal }) => {
          begun.resolve();
          await new Promise((_done, fail) => {
            signal.addEventListener('abort', () => fail(signal.reason));
          });
          return { report: {}, result: null };
        },
        { closeTimeout: 10, attempts: 1 },
      );
      const { id } = await queue.submit(MESSAGE, SESSION);
      await begun.promise;
      await worker.close();
      expect(await queue.get(id)).toMatchObject({ state: 'queued', error: { code: 'queue.closing' } });
      await startWorker(async () => ({ report: {}, result: null }));
      await settle(queue, id, 'done');
    });
  });
});
