import { once } from 'node:events';
import { Socket } from 'node:net';
import type { ConnectionEnd } from '@zegel/milter-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connections } from '../src/connections.ts';

const waitMs = 1_000;
const end: ConnectionEnd = { reason: 'quit', code: null, explanation: '', messages: 0 };

/** One place, which is taken until `leave` is called, and who was served. */
function oneTaken() {
  const connections = new Connections({ maxConnections: 1, maxWaiting: 1, waitMs });
  const first = Promise.withResolvers<ConnectionEnd>();
  const served: Socket[] = [];
  connections.add(new Socket(), () => ({ ended: first.promise, stop() {} }));
  const add = (socket: Socket): boolean =>
    connections.add(socket, () => {
      served.push(socket);
      return { ended: new Promise<never>(() => {}), stop() {} };
    });
  return { connections, served, add, leave: () => first.resolve(end) };
}

describe('a connection that waits for a place', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('is closed in the end, and leaves room for another: that its client has gone does not show', async () => {
    const { connections, served, add } = oneTaken();
    const gone = new Socket();
    expect([add(gone), add(new Socket())]).toEqual([true, false]);
    const closed = once(gone, 'close');
    vi.advanceTimersByTime(waitMs);
    await closed;
    expect(connections.waiting).toBe(0);
    expect(add(new Socket())).toBe(true);
    expect(served).toEqual([]);
  });

  it('has no limit on its time once it is served', async () => {
    const { connections, served, add, leave } = oneTaken();
    const patient = new Socket();
    add(patient);
    leave();
    await vi.waitFor(() => expect(served).toEqual([patient]));
    expect(connections.waiting).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
