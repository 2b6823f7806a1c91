import { setTimeout as delay } from 'node:timers/promises';
import { Worker, createPostgresBackend } from 'bullmq';
import type { Job, PgPool, PostgresQueueBackend, WorkerOptions } from 'bullmq';
import { AttemptFailedError, attemptMessage } from './attempt.ts';
import type { ProcessMessage } from './attempt.ts';
import { codeOf } from './errors.ts';
import { openInboundQueue } from './inbound-queue.ts';
import type { InboundGround, InboundQueue } from './inbound-queue.ts';
import { InboundRecords } from './inbound-record.ts';
import { QUEUE_NAME, QUEUE_PREFIX, postgresConnection } from './job-queue.ts';
import type { InboundJob } from './job-queue.ts';
import {
  ATTEMPTS,
  BACKOFF,
  CLOSE_TIMEOUT,
  LET_GO_TIMEOUT,
  LITTER_AGE,
  LOCK_DURATION,
  MAX_BACKOFF,
  MAX_STALLED_COUNT,
  RECONCILE_INTERVAL,
  RETENTION,
  STALLED_INTERVAL,
} from './limits.ts';
import { openRedis } from './redis-connection.ts';

/** An attempt that came to nothing. */
export interface FailedAttempt {
  /** Of the message. */
  readonly id: string;
  /** Why. */
  readonly code: string;
  /** Whether the message waits for a person now; else it is tried again. */
  readonly isParked: boolean;
}

export interface InboundWorkerOptions extends InboundGround {
  readonly process: ProcessMessage;
  /** Messages in work at once; default 4. */
  readonly concurrency?: number | undefined;
  /** Milliseconds a claim holds without being renewed (it is renewed at half of it); default 30,000. */
  readonly lockDuration?: number | undefined;
  /** Milliseconds between looks for claims that ran out; default 15,000. A dead worker's message waits for both at most. */
  readonly stalledInterval?: number | undefined;
  /** Times a message may be taken from a dead or hung worker before it is parked (`queue.stalled`); default 3. */
  readonly maxStalledCount?: number | undefined;
  /**
   * Failed attempts before a message is parked with the last error's code; default 10. Those that failed because the
   * message store or the database was lost or full do not count: such a message waits until they are back.
   */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt, doubled for each later one up to ten minutes; default 2,000. */
  readonly backoff?: number | undefined;
  /** Milliseconds between reconciliations and sweeps; default 60,000. */
  readonly reconcileInterval?: number | undefined;
  /** Milliseconds for which a message that is done is kept; default 7 days. */
  readonly retention?: number | undefined;
  /** Milliseconds `close()` waits for messages in work; default 25,000. */
  readonly closeTimeout?: number | undefined;
  /** Told of every attempt that failed, and of every message that was parked. */
  readonly onFailure?: ((failure: FailedAttempt) => void) | undefined;
}

export interface InboundWorker {
  /** Resolves when database, store and queue answer; rejects as `InboundQueue` does. */
  ping(): Promise<void>;
  /**
   * Takes no more messages, waits for those in work, and closes. Those that are not ready in time are given their abort signal
   * and let go: another worker finishes them when the claim has run out. May be called again.
   */
  close(): Promise<void>;
}

/**
 * Starts to work off the inbound queue. It need not be there yet: the worker waits for Redis.
 *
 * @throws DatabaseUnavailableError when the database cannot be reached at the start.
 */
export async function startInboundWorker(options: InboundWorkerOptions): Promise<InboundWorker> {
  const onError = options.onError ?? (() => undefined);
  const onFailure = options.onFailure ?? (() => undefined);
  const records = new InboundRecords(options.database.db, options.now ?? (() => new Date()));
  const maxStalledCount = options.maxStalledCount ?? MAX_STALLED_COUNT;
  const attempt = {
    records,
    store: options.store,
    process: options.process,
    attempts: options.attempts ?? ATTEMPTS,
    maxStalledCount,
  };
  const queue = await openInboundQueue(options);
  const closing = new AbortController();
  const lettingGo = new AbortController();

  /** What ends the attempt that this process is making at a message. */
  const inWork = new Map<string, AbortController>();

  const work = async ({ data: { id } }: Job<InboundJob>): Promise<void> => {
    const own = new AbortController();
    // Redis may have forgotten a claim and given the message to this very process again.
    inWork.get(id)?.abort(new AttemptFailedError('queue.claim-lost'));
    inWork.set(id, own);
    try {
      const code = await attemptMessage(id, AbortSignal.any([own.signal, lettingGo.signal]), attempt);
      if (code !== null) onFailure({ id, code, isParked: true });
    } catch (error) {
      const code = codeOf(error);
      onFailure({ id, code, isParked: false });
      // BullMQ keeps the text of what is thrown here: a code says enough, and nothing of the message.
      throw error instanceof AttemptFailedError ? error : new AttemptFailedError(code);
    } finally {
      if (inWork.get(id) === own) inWork.delete(id);
    }
  };
  const { worker, disconnect } = makeWorker(options, work, maxStalledCount);
  worker.on('error', onError);
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) inWork.get(id)?.abort(new AttemptFailedError('queue.claim-lost'));
  });
  worker.on('failed', (job) => {
    // BullMQ itself gives up a job that stalled too often; the message stays, for a person to look at.
    if (job?.deferredFailure === undefined) return;
    const { id } = job.data;
    const code = 'queue.stalled';
    records
      .park(id, code, job.deferredFailure)
      .then((isParked) => isParked && onFailure({ id, code, isParked }))
      .catch(onError);
  });
  const upkeep = keepUp(queue, options, closing.signal, onError);

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    await upkeep;
    const finished = worker.close();
    if (!(await within(finished, options.closeTimeout ?? CLOSE_TIMEOUT))) {
      lettingGo.abort(new AttemptFailedError('queue.closing'));
      await within(finished, LET_GO_TIMEOUT);
    }
    disconnect();
    await queue.close();
  };
  return { ping: () => queue.ping(), close: () => (closed ??= close()) };
}

/** Whether a promise settles in time. */
async function within(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const settled = new AbortController();
  const timer = delay(milliseconds, false, { signal: settled.signal }).catch(() => true);
  const inTime = await Promise.race([promise.then(() => true), timer]);
  settled.abort();
  return inTime;
}

type Work = (job: Job<InboundJob>) => Promise<void>;

/** What we use of a BullMQ worker, whichever backend it has. */
interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: Job<InboundJob> | undefined) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (ids: string[]) => void): unknown;
  close(force?: boolean): Promise<void>;
}

function makeWorker(
  options: InboundWorkerOptions,
  work: Work,
  maxStalledCount: number,
): { worker: BullWorker; disconnect: () => void } {
  const backoff = options.backoff ?? BACKOFF;
  const workerOptions = {
    concurrency: options.concurrency ?? 4,
    lockDuration: options.lockDuration ?? LOCK_DURATION,
    stalledInterval: options.stalledInterval ?? STALLED_INTERVAL,
    maxStalledCount,
    settings: { backoffStrategy: (made: number) => Math.min(backoff * 2 ** Math.min(made - 1, 30), MAX_BACKOFF) },
  } satisfies Partial<WorkerOptions>;
  if (options.redisUrl === undefined) {
    const worker = new Worker<InboundJob, void, string, PostgresQueueBackend, number, PgPool>(
      QUEUE_NAME,
      work,
      { ...workerOptions, ...postgresConnection(options.database) },
      createPostgresBackend,
    );
    return { worker, disconnect: () => undefined };
  }
  const connection = openRedis(options.redisUrl, 'worker', options.onError ?? (() => undefined));
  const worker = new Worker<InboundJob, void>(QUEUE_NAME, work, {
    ...workerOptions,
    connection,
    prefix: options.prefix ?? QUEUE_PREFIX,
  });
  return { worker, disconnect: () => connection.disconnect() };
}

/** Reconciles and sweeps at the start and then again and again, until the signal. */
async function keepUp(
  queue: InboundQueue,
  options: InboundWorkerOptions,
  signal: AbortSignal,
  onError: (error: Error) => void,
): Promise<void> {
  let litterRemoved = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      await queue.reconcile();
      if (performance.now() - litterRemoved > LITTER_AGE) {
        await queue.removeLitter();
        litterRemoved = performance.now();
      }
      await queue.sweep(options.retention ?? RETENTION);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
    await delay(options.reconcileInterval ?? RECONCILE_INTERVAL, undefined, { signal, ref: false }).catch(
      () => undefined,
    );
  }
}
