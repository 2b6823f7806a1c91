import { describe, expect, test } from 'vitest';
import { Readiness } from '../src/index.ts';

describe('Readiness', () => {
  test('checks run at most once an interval, however many ask', async () => {
    let now = 0;
    let runs = 0;
    const readiness = new Readiness({ intervalMs: 1000, now: () => now });
    readiness.add('store', async () => void runs++);
    readiness.started();
    await Promise.all([readiness.report(), readiness.report(), readiness.report()]);
    now = 999;
    await readiness.report();
    expect(runs).toBe(1);
    now = 1000;
    await readiness.report();
    expect(runs).toBe(2);
  });

  test('a check that hangs is reported as timeout and not started again', async () => {
    let runs = 0;
    const readiness = new Readiness({ intervalMs: 0, timeoutMs: 1 });
    readiness.add('store', () => {
      runs++;
      return new Promise(() => {});
    });
    readiness.started();
    await readiness.report();
    expect(await readiness.report()).toEqual({
      ready: false,
      phase: 'started',
      checks: [{ name: 'store', required: true, ok: false, code: 'timeout' }],
    });
    expect(runs).toBe(1);
  });

  test('a check that throws instead of rejecting is a failing check', async () => {
    const readiness = new Readiness();
    readiness.add('store', () => {
      throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    });
    expect((await readiness.report()).checks).toMatchObject([{ name: 'store', ok: false, code: 'ECONNREFUSED' }]);
  });

  test('draining is for good', async () => {
    const readiness = new Readiness();
    readiness.started();
    readiness.drain();
    readiness.started();
    expect(await readiness.report()).toMatchObject({ ready: false, phase: 'draining' });
  });

  test('a check that is only watched is reported and does not decide', async () => {
    const readiness = new Readiness({ intervalMs: 0 });
    readiness.watch('queue', () => Promise.reject(Object.assign(new Error('away'), { code: 'queue.unavailable' })));
    const store = readiness.add('store', async () => {});
    readiness.started();
    expect(await readiness.report()).toEqual({
      ready: true,
      phase: 'started',
      checks: [
        { name: 'queue', required: false, ok: false, code: 'queue.unavailable' },
        { name: 'store', required: true, ok: true },
      ],
    });
    store[Symbol.dispose]();
    readiness.add('store', () => Promise.reject(new Error('away')));
    expect((await readiness.report()).ready).toBe(false);
  });

  test('a check that is taken out counts no more', async () => {
    const readiness = new Readiness({ intervalMs: 0 });
    const check = readiness.add('store', () => Promise.reject(new Error('away')));
    readiness.started();
    expect((await readiness.report()).ready).toBe(false);
    check[Symbol.dispose]();
    expect((await readiness.report()).ready).toBe(true);
  });
});
