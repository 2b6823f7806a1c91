import { describe, expect, it } from 'vitest';
import { fitThreadPool } from '../src/thread-pool.ts';

const threads = (cores: number, given: Record<string, string | undefined> = {}): string | undefined => {
  fitThreadPool(cores, given);
  return given['UV_THREADPOOL_SIZE'];
};

describe('the thread pool', () => {
  it('gets a thread for each core', () => {
    expect(threads(2)).toBe('2');
    expect(threads(16)).toBe('16');
  });

  it('is left as it is on one core, where nothing is signed in it', () => {
    expect(threads(1)).toBeUndefined();
  });

  it('keeps the size that the environment gives it', () => {
    expect(threads(16, { UV_THREADPOOL_SIZE: '6' })).toBe('6');
    expect(threads(16, { UV_THREADPOOL_SIZE: '' })).toBe('16');
  });
});
