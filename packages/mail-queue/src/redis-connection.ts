import { Redis } from 'ioredis';
import { MAX_RECONNECT_DELAY, QUEUE_TIMEOUT } from './limits.ts';

/** `producer`: commands fail at once while Redis is away. `worker`: they wait for it, as BullMQ's workers need. */
export type RedisRole = 'producer' | 'worker';

/** Opens a connection that reconnects for ever. It does not wait for Redis to be there. */
export function openRedis(url: string, role: RedisRole, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    connectionName: `zegel-${role}`,
    connectTimeout: QUEUE_TIMEOUT,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY),
    ...(role === 'worker'
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: QUEUE_TIMEOUT }),
  });
  redis.on('error', onError);
  // Everybody who waits for the connection listens to it.
  redis.setMaxListeners(0);
  return redis;
}

/**
 * Waits for a connection that is just being made. Rejects at once when there is none, so that nobody waits for a Redis
 * that is away.
 */
export async function whenReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  if (redis.status !== 'connecting' && redis.status !== 'connect') throw new Error('Redis cannot be reached');
  await new Promise<void>((done, fail) => {
    const settle = (): void => {
      redis.off('ready', settle).off('close', settle);
      if (redis.status === 'ready') done();
      else fail(new Error('Redis cannot be reached'));
    };
    redis.on('ready', settle).on('close', settle);
  });
}

/** Whether Redis refused a write because it is at `maxmemory` (policy `noeviction`). */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.includes('OOM command not allowed');
}
