import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@zegel/database';
import { Queue, createPostgresBackend, isPgPool, runMigrations } from 'bullmq';
import type { JobType, JobsOptions, PgPool, PostgresQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { QueueFullError, QueueUnavailableError } from './errors.ts';
import { MAX_EVENTS, MAX_WAITING, QUEUE_TIMEOUT, WAITING_COUNT_AGE } from './limits.ts';
import { isOutOfMemory, openRedis, whenReady } from './redis-connection.ts';

/** The queue's name, the same for producers and workers. */
export const QUEUE_NAME = 'inbound';

/** What the keys in Redis begin with. The braces keep all of them on one node of a cluster, which BullMQ needs. */
export const QUEUE_PREFIX = '{zegel}';

/** What a job holds: nothing of the message. */
export interface InboundJob {
  readonly id: string;
}

/** Where the jobs are: in Redis, or in schema `bullmq` of the database. */
export type QueueGround =
  | { readonly redisUrl: string; readonly prefix?: string }
  | { readonly database: Database; readonly redisUrl?: undefined };

// The worker decides how often it tries and what is kept lies in our own table. So a job never fails by count, and leaves
// nothing behind when it ends: BullMQ ignores a new job with the id of one that it still remembers.
const JOB_OPTIONS = {
  attempts: 1_000_000,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 0,
} satisfies JobsOptions;

/** Job states in which no worker will ever take the job. */
const GONE: ReadonlySet<string> = new Set(['unknown', 'completed', 'failed']);

/** What we use of a BullMQ queue, whichever backend it has. */
interface BullQueue {
  add(name: string, data: InboundJob, options: JobsOptions): Promise<unknown>;
  close(): Promise<void>;
  disconnect(): Promise<void>;
  getJobCounts(...types: JobType[]): Promise<Record<string, number>>;
  getJobState(id: string): Promise<string>;
  remove(id: string): Promise<number>;
  waitUntilReady(): Promise<void>;
}

/** BullMQ's tables must be there before its backend is used. Safe to run by many at once. */
export async function prepareDatabase(database: Database): Promise<void> {
  const client = await database.pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}

/** BullMQ's options for a PostgreSQL backend on a pool that is ours. */
export function postgresConnection({ pool }: Database): { connection: PgPool } {
  // pg's own type and BullMQ's description of it differ in how they overload `on`.
  if (!isPgPool(pool)) throw new TypeError('the database has no pool');
  return { connection: pool };
}

/** The producer's side of the queue. Every method rejects within 3 s with `QueueUnavailableError` when the queue is lost. */
export class JobQueue {
  readonly #ground: QueueGround;
  readonly #maxWaiting: number;
  readonly #onError: (error: Error) => void;
  readonly #redis: Redis | null;
  #queue: BullQueue | null = null;
  #waiting = { count: 0, at: Number.NEGATIVE_INFINITY };

  constructor(ground: QueueGround, onError: (error: Error) => void, maxWaiting: number = MAX_WAITING) {
    this.#ground = ground;
    this.#onError = onError;
    this.#maxWaiting = maxWaiting;
    this.#redis = ground.redisUrl === undefined ? null : openRedis(ground.redisUrl, 'producer', onError);
  }

  /** Adds the job of a message. It is ignored when there is one. */
  async add(id: string): Promise<void> {
    await this.#use((queue) => queue.add('verify', { id }, { ...JOB_OPTIONS, jobId: id }));
    this.#waiting.count += 1;
  }

  /** Adds the jobs that are missing, and puts those anew that BullMQ has given up. Returns the ids added. */
  async ensure(ids: readonly string[]): Promise<string[]> {
    const states = await Promise.all(ids.map((id) => this.#use((queue) => queue.getJobState(id))));
    const missing = ids.filter((_id, index) => GONE.has(states[index] ?? ''));
    await Promise.all(
      missing.map(async (id) => {
        await this.#use((queue) => queue.remove(id));
        await this.add(id);
      }),
    );
    return missing;
  }

  /** @throws QueueFullError when as many jobs wait as may. The count may be a quarter of a second old. */
  async checkRoom(): Promise<void> {
    const now = performance.now();
    if (now - this.#waiting.at > WAITING_COUNT_AGE) {
      const { waiting, prioritized, delayed } = await this.counts();
      this.#waiting = { count: waiting + prioritized + delayed, at: now };
    }
    if (this.#waiting.count >= this.#maxWaiting) {
      throw new QueueFullError(`the queue is full: ${this.#waiting.count} messages wait`);
    }
  }

  async counts(): Promise<{ waiting: number; prioritized: number; delayed: number; active: number }> {
    const counts = await this.#use((queue) => queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active'));
    const { waiting = 0, prioritized = 0, delayed = 0, active = 0 } = counts;
    return { waiting, prioritized, delayed, active };
  }

  async ping(): Promise<void> {
    await this.#use((queue) => queue.getJobCounts('active'));
  }

  async close(): Promise<void> {
    const queue = this.#queue;
    this.#queue = null;
    // A queue that never became ready would wait for Redis before it closes: take the connection away first.
    if (this.#redis !== null) this.#redis.disconnect();
    await queue?.close().catch(() => undefined);
  }

  async #use<T>(operation: (queue: BullQueue) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const tooLate = delay(QUEUE_TIMEOUT, undefined, { signal: abort.signal }).then(() => {
      throw new QueueUnavailableError('the queue does not answer');
    });
    tooLate.catch(() => undefined);
    try {
      return await Promise.race([this.#ready().then(operation), tooLate]);
    } catch (error) {
      if (error instanceof QueueUnavailableError) throw error;
      if (isOutOfMemory(error)) throw new QueueFullError('the queue is full: Redis is out of memory', { cause: error });
      throw new QueueUnavailableError('the queue is unavailable', { cause: error });
    } finally {
      abort.abort();
    }
  }

  /** The BullMQ queue, made anew when its first connection failed: BullMQ would remember that for ever. */
  async #ready(): Promise<BullQueue> {
    if (this.#redis !== null) await whenReady(this.#redis);
    const queue = (this.#queue ??= this.#make());
    try {
      await queue.waitUntilReady();
    } catch (error) {
      if (this.#queue === queue) this.#queue = null;
      await queue.disconnect().catch(() => undefined);
      throw error;
    }
    return queue;
  }

  #make(): BullQueue {
    const options = { streams: { events: { maxLen: MAX_EVENTS } } };
    if (this.#ground.redisUrl === undefined) {
      const queue = new Queue<InboundJob, unknown, string, InboundJob, unknown, string, PostgresQueueBackend, PgPool>(
        QUEUE_NAME,
        { ...options, ...postgresConnection(this.#ground.database) },
        createPostgresBackend,
      );
      queue.on('error', this.#onError);
      return queue;
    }
    if (this.#redis === null) throw new QueueUnavailableError('the queue is closed');
    const prefix = this.#ground.prefix ?? QUEUE_PREFIX;
    const queue = new Queue<InboundJob>(QUEUE_NAME, { ...options, connection: this.#redis, prefix });
    queue.on('error', this.#onError);
    return queue;
  }
}
