import { describe, expect, test } from 'vitest';
import { ExpiringCache } from '../src/expiring-cache.ts';

function cacheOf(size: number, keeps?: (value: string) => boolean) {
  const clock = { now: 0 };
  const loads: string[] = [];
  const cache = new ExpiringCache<string>({ size, ttlMs: 10, now: () => clock.now, ...(keeps ? { keeps } : {}) });
  const get = (key: string): Promise<string> =>
    cache.get(key, async () => {
      loads.push(key);
      return key;
    });
  return { cache, clock, loads, get };
}

/** A value with a renewal under way, at half of its time. */
async function renewing() {
  const { cache, clock, loads, get } = cacheOf(2);
  await get('a');
  clock.now = 5;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  await cache.get('a', () => promise);
  return { cache, clock, loads, get, promise, resolve, reject };
}

describe('ExpiringCache', () => {
  test('those who ask at the same time share one load', async () => {
    const { get, loads } = cacheOf(2);
    await Promise.all([get('a'), get('a'), get('a')]);
    expect(loads).toEqual(['a']);
  });

  test('loads again when the time is up', async () => {
    const { get, loads, clock } = cacheOf(2);
    await get('a');
    clock.now = 9;
    await get('a');
    clock.now = 10;
    await get('a');
    expect(loads).toEqual(['a', 'a']);
  });

  test('what is in use is loaded anew before its time is up, and nobody waits for that', async () => {
    const { cache, clock, loads, get } = cacheOf(2);
    await get('a');
    clock.now = 5;
    const { promise, resolve } = Promise.withResolvers<string>();
    const renew = (): Promise<string> => {
      loads.push('renewal');
      return promise;
    };
    expect(await cache.get('a', renew)).toBe('a');
    expect(await cache.get('a', renew)).toBe('a');
    resolve('b');
    await promise;
    await Promise.resolve();
    clock.now = 9;
    expect(await get('a')).toBe('b');
    expect(loads).toEqual(['a', 'renewal']);
  });

  test('what is not there yet is not loaded anew', async () => {
    const { cache, clock, get, loads } = cacheOf(2);
    const { promise, resolve } = Promise.withResolvers<string>();
    const slow = cache.get('a', () => promise);
    clock.now = 9;
    const shared = get('a');
    resolve('b');
    expect(await Promise.all([slow, shared])).toEqual(['b', 'b']);
    expect(loads).toEqual([]);
  });

  test('a value counts from the beginning of the load that renewed it', async () => {
    const { clock, loads, get } = cacheOf(2);
    await get('a');
    clock.now = 6;
    await get('a');
    clock.now = 15;
    await get('a');
    expect(loads).toEqual(['a', 'a', 'a']);
    clock.now = 25;
    await get('a');
    expect(loads).toEqual(['a', 'a', 'a', 'a']);
  });

  test('a renewal that fails is tried no more until the time is up, and then heard of', async () => {
    const { cache, clock, loads, get } = cacheOf(2);
    await get('a');
    clock.now = 5;
    const fail = (): Promise<string> => {
      loads.push('failure');
      return Promise.reject(new Error('away'));
    };
    for (let ask = 0; ask < 3; ask++) expect(await cache.get('a', fail)).toBe('a');
    clock.now = 10;
    await expect(cache.get('a', fail)).rejects.toThrow('away');
    expect(loads).toEqual(['a', 'failure', 'failure']);
  });

  test('a renewal that has begun is waited for when the time is up, and not doubled', async () => {
    const { clock, get, loads, resolve } = await renewing();
    clock.now = 10;
    const late = get('a');
    resolve('b');
    expect(await late).toBe('b');
    expect(loads).toEqual(['a']);
    clock.now = 14;
    expect(await get('a')).toBe('b');
    expect(loads).toEqual(['a', 'a']);
  });

  test('a renewal that is waited for and fails is heard of, and not kept', async () => {
    const { clock, get, reject } = await renewing();
    clock.now = 10;
    const late = get('a');
    reject(new Error('away'));
    await expect(late).rejects.toThrow('away');
    expect(await get('a')).toBe('a');
  });

  test('a renewal by what is not to be kept takes the old value away', async () => {
    const { cache, clock, get } = cacheOf(2, (value) => value !== 'x');
    await get('a');
    clock.now = 5;
    expect(await cache.get('a', async () => 'x')).toBe('a');
    await Promise.resolve();
    await Promise.resolve();
    expect(await cache.get('a', async () => 'b')).toBe('b');
  });

  test('a renewal that began before a change is not kept after it', async () => {
    const { cache, get, loads, promise, resolve } = await renewing();
    cache.delete('a');
    resolve('old');
    await promise;
    await Promise.resolve();
    expect(await get('a')).toBe('a');
    expect(loads).toEqual(['a', 'a']);
  });

  test('the least recently used goes first', async () => {
    const { get, loads } = cacheOf(2);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
    expect(loads).toEqual(['a', 'b', 'c', 'b']);
  });

  test('what is not to be kept pushes nothing out', async () => {
    const { get, loads } = cacheOf(1, (value) => value !== 'x');
    for (const key of ['a', 'x', 'x', 'a']) await get(key);
    expect(loads).toEqual(['a', 'x', 'x']);
  });

  test('a failure is not kept', async () => {
    const { cache, get } = cacheOf(1);
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await get('a')).toBe('a');
  });

  test('a load that began before a change is not kept after it', async () => {
    const { cache, get, loads } = cacheOf(1);
    const { promise, resolve } = Promise.withResolvers<string>();
    const stale = cache.get('a', () => promise);
    cache.delete('a');
    resolve('old');
    expect(await stale).toBe('old');
    expect(await get('a')).toBe('a');
    expect(loads).toEqual(['a']);
  });
});
