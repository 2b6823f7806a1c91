import { describe, expect, test } from 'vitest';
import { ResourceStack } from '../src/index.ts';

describe('ResourceStack', () => {
  test('closes each resource after the one opened later is closed', async () => {
    const events: string[] = [];
    const stack = new ResourceStack();
    stack.use('a', { [Symbol.dispose]: () => void events.push('a') });
    stack.use('b', {
      async [Symbol.asyncDispose]() {
        events.push(`b begins, closing ${stack.closing}`);
        await Promise.resolve();
        events.push('b');
      },
    });
    expect(await stack.close()).toEqual([]);
    expect(events).toEqual(['b begins, closing b', 'b', 'a']);
    expect(stack.closing).toBeNull();
  });

  test('one failure keeps no other open, and is told by name', async () => {
    const events: string[] = [];
    const stack = new ResourceStack();
    stack.defer('a', () => events.push('a'));
    stack.defer('b', () => Promise.reject(new Error('stuck')));
    await expect(stack[Symbol.asyncDispose]()).rejects.toThrow('could not close b');
    expect(events).toEqual(['a']);
  });

  test('closes once', async () => {
    let closed = 0;
    const stack = new ResourceStack();
    stack.defer('a', () => closed++);
    await Promise.all([stack.close(), stack.close()]);
    expect(closed).toBe(1);
  });

  test('takes nothing once it closes', async () => {
    const stack = new ResourceStack();
    await stack.close();
    expect(() => stack.defer('late', () => {})).toThrow(expect.objectContaining({ code: 'service.closing' }));
  });
});
