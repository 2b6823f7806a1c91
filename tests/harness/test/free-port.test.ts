import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../src/free-port.ts';

test('a port that no outgoing connection can be given, another one each time, none that is taken', async () => {
  const first = await freePort();
  const second = await freePort();
  expect(second).not.toBe(first);
  for (const port of [first, second]) {
    expect(port).toBeGreaterThan(1023);
    expect(port).toBeLessThan(32768);
  }
  const holder = createServer().listen(first, '127.0.0.1');
  await once(holder, 'listening');
  const later: number[] = [];
  for (let times = 0; times < 20; times++) later.push(await freePort());
  holder.close();
  expect(later).not.toContain(first);
});
