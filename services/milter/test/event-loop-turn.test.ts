import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { untilAllIsRead } from '../src/event-loop-turn.ts';

test('all who wait in one turn of the event loop go on together, and those of the next after them', async () => {
  const steps: string[] = [];
  const walk = async (name: string): Promise<void> => {
    await untilAllIsRead();
    steps.push(`${name} checks`);
    await Promise.resolve();
    steps.push(`${name} answers`);
  };
  const first = [walk('a'), walk('b')];
  await setImmediate();
  const second = walk('c');
  await Promise.all([...first, second]);
  expect(steps).toEqual(['a checks', 'b checks', 'a answers', 'b answers', 'c checks', 'c answers']);
});
