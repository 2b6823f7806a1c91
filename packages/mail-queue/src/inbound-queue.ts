import { randomUUID } from 'node:crypto';
import type { Database, InboundState } from '@zegel/database';
import { InvalidSessionError, MessageMissingError } from './errors.ts';
import { InboundRecords, isInboundId, ownerOf, resultId } from './inbound-record.ts';
import type { InboundPosition, InboundRecord, InboundSummary, SweepCandidate } from './inbound-record.ts';
import { JobQueue, prepareDatabase } from './job-queue.ts';
import { BATCH, LITTER_AGE, MAX_SESSION_BYTES, RETENTION } from './limits.ts';
import { chunksOf } from './message-store.ts';
import type { MessageBytes, MessageStore } from './message-store.ts';
import { storedJson } from './stored-json.ts';

/** Where the inbound path keeps things. Producers and workers are given the same. */
export interface InboundGround {
  /** Rows of `zegel.inbound`; without Redis also the queue. It is not closed here. */
  readonly database: Database;
  /** The message bytes. It is not closed here. */
  readonly store: MessageStore;
  /** `redis://` or `rediss://`: the queue is in Redis (6.2 or later, `noeviction`, AOF), else in the database. */
  readonly redisUrl?: string | undefined;
  /** What the queue's keys in Redis begin with; default `{zegel}`. In a cluster it must hold a hash tag. */
  readonly prefix?: string | undefined;
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined;
  /** Told of errors that have no caller: lost connections, work of BullMQ in the background. They hold no message content. */
  readonly onError?: ((error: Error) => void) | undefined;
}

export interface InboundQueueOptions extends InboundGround {
  /** Messages that may wait before `submit` says `queue.full`; default 10,000. */
  readonly maxWaiting?: number | undefined;
}

/** How many messages are in which state, and how many jobs. */
export interface InboundCounts {
  readonly messages: Readonly<Record<InboundState, number>>;
  readonly jobs: { readonly waiting: number; readonly delayed: number; readonly active: number };
}

/** What a sweep and a reconciliation did. */
export interface Reconciliation {
  /** Messages whose job was missing and has been added. */
  readonly added: readonly string[];
}

/**
 * The way in for messages to be verified, and the state of each.
 *
 * Rejects with `DatabaseUnavailableError`, `MessageStoreUnavailableError` or `QueueUnavailableError` when one of the
 * three is lost.
 */
export interface InboundQueue {
  /**
   * Takes a message. Once it resolves, the message is durable and will be `done` or `parked`, whatever dies. When it
   * rejects, nothing was accepted and what was done is undone; where even that is impossible (the database went away in
   * the middle) the message may still be verified later, so a sender that repeats it is safe: it gets another id.
   *
   * @param session what the message came with (ip, helo, mailFrom …): any JSON, 64 KiB at most. Never bytes of the message.
   * @throws QueueFullError, MessageStoreFullError, InvalidSessionError
   */
  submit(bytes: MessageBytes, session: object): Promise<{ readonly id: string }>;
  /** What is known of a message; null when there is none (any more). */
  get(id: string): Promise<InboundRecord | null>;
  /** At most `limit` messages in a state, those first that have been in it the longest, from behind a position on. */
  list(state: InboundState, limit: number, after?: InboundPosition | null): Promise<readonly InboundSummary[]>;
  /** The message as it came; null when it is unknown. @throws MessageMissingError */
  openMessage(id: string): Promise<AsyncIterable<Uint8Array> | null>;
  /** The edited message; null when it is unknown, not done, or was not edited. @throws MessageMissingError */
  openResult(id: string): Promise<AsyncIterable<Uint8Array> | null>;
  /**
   * Puts a parked message back in the queue; with the queue lost, the next reconciliation that reaches it does. False
   * when it is not parked.
   */
  retry(id: string): Promise<boolean>;
  /**
   * Deletes a message that is done or parked; false when it is neither. It is unknown from then on. Its bytes go at once, or
   * as litter where the store is lost.
   */
  delete(id: string): Promise<boolean>;
  /**
   * Adds the jobs that open messages miss: after a crash, or when Redis lost its data. May run at any time, in many
   * processes.
   */
  reconcile(): Promise<Reconciliation>;
  /** Removes messages that were done longer ago than `retention` milliseconds (default 7 days). Returns how many. */
  sweep(retention?: number): Promise<number>;
  /** Removes bytes older than a day that belong to no message: a process died while it took them in. Returns how many. */
  removeLitter(): Promise<number>;
  counts(): Promise<InboundCounts>;
  /** Resolves when database, store and queue answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the way in. Redis need not be there yet. @throws DatabaseUnavailableError */
export async function openInboundQueue(options: InboundQueueOptions): Promise<InboundQueue> {
  const { database, store, redisUrl } = options;
  const onError = options.onError ?? (() => undefined);
  const now = options.now ?? (() => new Date());
  if (redisUrl === undefined) await prepareDatabase(database);
  const ground =
    redisUrl === undefined
      ? { database }
      : { redisUrl, ...(options.prefix === undefined ? {} : { prefix: options.prefix }) };
  const jobs = new JobQueue(ground, onError, options.maxWaiting);
  const records = new InboundRecords(database.db, now);

  const submit = async (bytes: MessageBytes, session: object): Promise<{ readonly id: string }> => {
    const sessionText = sessionJson(session);
    // Refused before the message is read, as far as it can be known.
    await Promise.all([jobs.checkRoom(), database.ping()]);
    const id = randomUUID();
    let length = 0;
    async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of chunksOf(bytes)) {
        length += chunk.length;
        yield chunk;
      }
    }
    const messageRef = await store.put(id, counted());
    try {
      await records.insert(id, sessionText, messageRef, length);
      await jobs.add(id);
    } catch (error) {
      // The row goes first: bytes without a row are litter, a row without bytes would be parked for a person to look at. An
      // insert that was reported as failed may have happened all the same.
      await records
        .remove(id)
        .then(() => store.delete(messageRef))
        .catch(() => undefined);
      throw error;
    }
    return { id };
  };

  const retry = async (id: string): Promise<boolean> => {
    if (!isInboundId(id) || !(await records.unpark(id))) return false;
    // It is queued from here on, so this is no failure: a worker's reconciliation adds the job.
    await jobs.ensure([id]).catch(onError);
    return true;
  };

  const deleteBytes = async ({ id, messageRef, attempts }: SweepCandidate): Promise<void> => {
    await store.delete(messageRef);
    for (let attempt = 1; attempt <= attempts; attempt += 1) await store.delete(resultId(id, attempt));
  };

  const deleteEnded = async (id: string): Promise<boolean> => {
    // The row goes first: nobody can put back a message whose bytes are about to go.
    const ended = isInboundId(id) ? await records.removeEnded(id) : null;
    if (ended === null) return false;
    await deleteBytes(ended).catch(onError);
    return true;
  };

  const reconcile = async (): Promise<Reconciliation> => {
    // A backlog is normal and not worth a walk: each open message has its job. A job without a message would hide one that
    // misses its job, but is gone as soon as a worker takes it.
    const [open, { waiting, prioritized, delayed, active }] = await Promise.all([records.openCount(), jobs.counts()]);
    if (waiting + prioritized + delayed + active >= open) return { added: [] };
    const added: string[] = [];
    let after: string | null = null;
    for (;;) {
      const ids = await records.open(after);
      added.push(...(await jobs.ensure(ids)));
      after = ids.at(-1) ?? null;
      if (ids.length < BATCH) return { added };
    }
  };

  const sweep = async (retention: number = RETENTION): Promise<number> => {
    const moment = new Date(now().getTime() - retention);
    let swept = 0;
    for (;;) {
      const candidates = await records.doneBefore(moment);
      for (const candidate of candidates) {
        await deleteBytes(candidate);
        await records.remove(candidate.id);
        swept += 1;
      }
      if (candidates.length < BATCH) return swept;
    }
  };

  const removeLitter = async (): Promise<number> => {
    let removed = 0;
    const removeFrom = async (references: readonly string[]): Promise<void> => {
      const unknown = await records.unknown(
        references.map((reference) => ownerOf(reference) ?? '').filter(isInboundId),
      );
      for (const reference of references) {
        const owner = ownerOf(reference);
        if (owner === null || !unknown.has(owner)) continue;
        await store.delete(reference);
        removed += 1;
      }
    };
    let page: string[] = [];
    for await (const reference of store.list(new Date(now().getTime() - LITTER_AGE))) {
      page.push(reference);
      if (page.length < BATCH) continue;
      await removeFrom(page);
      page = [];
    }
    await removeFrom(page);
    return removed;
  };

  /** Opens bytes; those that were swept between the two look-ups are as unknown as if they had been before. */
  const openStored = async (id: string, which: 'message' | 'result'): Promise<AsyncIterable<Uint8Array> | null> => {
    const reference = (await records.references(id))?.[which] ?? null;
    if (reference === null) return null;
    try {
      return await store.open(reference);
    } catch (error) {
      if (error instanceof MessageMissingError && (await records.references(id)) === null) return null;
      throw error;
    }
  };

  return {
    submit,
    retry,
    delete: deleteEnded,
    reconcile,
    sweep,
    removeLitter,
    get: (id) => records.get(id),
    list: (state, limit, after = null) => records.list(state, limit, after),
    openMessage: (id) => openStored(id, 'message'),
    openResult: (id) => openStored(id, 'result'),
    counts: async () => {
      const [messages, { waiting, prioritized, delayed, active }] = await Promise.all([
        records.counts(),
        jobs.counts(),
      ]);
      return { messages, jobs: { waiting: waiting + prioritized, delayed, active } };
    },
    ping: async () => {
      await Promise.all([database.ping(), store.ping(), jobs.ping()]);
    },
    close: () => jobs.close(),
  };
}

function sessionJson(session: object): string {
  let text: string;
  try {
    text = storedJson(session);
  } catch (error) {
    throw new InvalidSessionError('the session is not JSON', { cause: error });
  }
  if (Buffer.byteLength(text) > MAX_SESSION_BYTES) {
    throw new InvalidSessionError(`the session has more than ${MAX_SESSION_BYTES} bytes`);
  }
  return text;
}
