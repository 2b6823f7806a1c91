import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { MessageMissingError, MessageStoreFullError, MessageStoreUnavailableError } from './errors.ts';
import { REDIS_CHUNK_BYTES, REDIS_UNFINISHED_TTL } from './limits.ts';
import { checkReference, chunksOf } from './message-store.ts';
import type { MessageBytes, MessageStore } from './message-store.ts';
import { isOutOfMemory, openRedis, whenReady } from './redis-connection.ts';

const SCAN_COUNT = 1_000;

export interface RedisMessageStoreOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** What the keys begin with; default `zegel:message`. */
  readonly prefix?: string;
  /** Seconds after which a message goes by itself; without it, it stays until it is deleted. */
  readonly ttl?: number;
  /** Told of connection errors; the store reconnects by itself. */
  readonly onError?: (error: Error) => void;
}

/**
 * Messages in Redis, each a hash of chunks of 512 KiB, so that no single value is large. The hash is filled under another
 * name, which expires in an hour, and renamed when it is complete: a reader sees a whole message or none.
 */
export class RedisMessageStore implements MessageStore {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ttl: number | null;

  constructor(options: RedisMessageStoreOptions) {
    this.#redis = openRedis(options.url, 'producer', options.onError ?? (() => undefined));
    this.#prefix = options.prefix ?? 'zegel:message';
    this.#ttl = options.ttl ?? null;
  }

  async put(id: string, bytes: MessageBytes): Promise<string> {
    const reference = checkReference(id);
    const key = this.#key(reference);
    const generation = randomBytes(6).toString('hex');
    const unfinished = `${key}:${generation}`;
    try {
      let chunks = 0;
      let size = 0;
      for await (const chunk of evenChunks(bytes)) {
        const name = `${generation}.${chunks}`;
        await guard(this.#redis, () =>
          this.#redis.multi().hset(unfinished, name, chunk).expire(unfinished, REDIS_UNFINISHED_TTL).exec(),
        );
        chunks += 1;
        size += chunk.length;
      }
      await guard(this.#redis, () => {
        const last = this.#redis
          .multi()
          .hset(unfinished, { generation, chunks, size, at: Date.now() })
          .rename(unfinished, key);
        return (this.#ttl === null ? last.persist(key) : last.expire(key, this.#ttl)).exec();
      });
    } catch (error) {
      await this.#redis.unlink(unfinished).catch(() => undefined);
      throw error;
    }
    return reference;
  }

  async open(reference: string): Promise<AsyncIterable<Uint8Array>> {
    const key = this.#key(reference);
    const [generation, chunks] = await guard(this.#redis, () => this.#redis.hmget(key, 'generation', 'chunks'));
    if (typeof generation !== 'string' || typeof chunks !== 'string') throw new MessageMissingError(reference);
    return this.#read(reference, generation, Number(chunks));
  }

  async size(reference: string): Promise<number> {
    const key = this.#key(reference);
    const size = await guard(this.#redis, () => this.#redis.hget(key, 'size'));
    if (size === null) throw new MessageMissingError(reference);
    return Number(size);
  }

  async delete(reference: string): Promise<void> {
    const key = this.#key(reference);
    await guard(this.#redis, () => this.#redis.unlink(key));
  }

  async *list(before: Date): AsyncGenerator<string, void, undefined> {
    const [start, end] = [`${this.#prefix}:{`, '}'];
    // The pattern reads some characters as wild cards; a key that is not ours is passed over below.
    const pattern = `${start.replaceAll(/[*?[\]\\^]/g, '?')}*${end}`;
    let cursor = '0';
    do {
      const [next, keys] = await guard(this.#redis, () =>
        this.#redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT),
      );
      for (const key of keys) {
        if (!key.startsWith(start) || !key.endsWith(end)) continue;
        const put = await guard(this.#redis, () => this.#redis.hget(key, 'at'));
        if (put !== null && Number(put) < before.getTime()) yield key.slice(start.length, -end.length);
      }
      cursor = next;
    } while (cursor !== '0');
  }

  async ping(): Promise<void> {
    await guard(this.#redis, () => this.#redis.ping());
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async *#read(reference: string, generation: string, chunks: number): AsyncGenerator<Uint8Array, void, undefined> {
    const key = this.#key(reference);
    for (let index = 0; index < chunks; index += 1) {
      // A message replaced while it is read has other chunk names: the reader is told, never given a mixture.
      const chunk = await guard(this.#redis, () => this.#redis.hgetBuffer(key, `${generation}.${index}`));
      if (chunk === null) throw new MessageMissingError(reference);
      yield chunk;
    }
  }

  /** The hash tag keeps both names of a message on one node of a cluster, which RENAME needs. */
  #key(reference: string): string {
    return `${this.#prefix}:{${checkReference(reference)}}`;
  }
}

async function* evenChunks(bytes: MessageBytes): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(bytes)) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + REDIS_CHUNK_BYTES - length);
      waiting.push(part);
      length += part.length;
      at += part.length;
      if (length === REDIS_CHUNK_BYTES) {
        yield Buffer.concat(waiting);
        waiting = [];
        length = 0;
      }
    }
  }
  if (length > 0) yield Buffer.concat(waiting);
}

/** Runs a Redis command or transaction; its errors become the store's. */
async function guard<T>(redis: Redis, command: () => Promise<T>): Promise<T> {
  try {
    await whenReady(redis);
    const result = await command();
    // A transaction resolves even where one of its commands failed.
    if (Array.isArray(result)) {
      for (const entry of result) if (Array.isArray(entry) && entry[0] instanceof Error) throw entry[0];
    }
    return result;
  } catch (error) {
    if (isOutOfMemory(error) || (error instanceof Error && isOutOfMemory(error.cause))) {
      throw new MessageStoreFullError('the message store is full: Redis is out of memory', { cause: error });
    }
    const previous = error instanceof Error && 'previousErrors' in error ? error.previousErrors : undefined;
    if (Array.isArray(previous) && previous.some((earlier) => isOutOfMemory(earlier))) {
      throw new MessageStoreFullError('the message store is full: Redis is out of memory', { cause: error });
    }
    throw new MessageStoreUnavailableError('the message store is unavailable: Redis does not answer', { cause: error });
  }
}
