import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { untilAllIsRead } from '../src/event-loop-turn.ts';

/** Who waits, and the steps that all of them have taken. */
function walkers() {
  const steps: string[] = [];
  const walk = async (name: string): Promise<void> => {
    await untilAllIsRead();
    steps.push(`${name} checks`);
    await Promise.resolve();
    steps.push(`${name} answers`);
  };
  return { steps, walk };
}

test('all who wait go on together, step by step, with those that the next turns of the event loop bring', async () => {
  const { steps, walk } = walkers();
  const walks = [walk('a'), walk('b')];
  await setImmediate();
  walks.push(walk('c'));
  expect(steps).toEqual([]);
  await Promise.all(walks);
  expect(steps).toEqual(['a checks', 'b checks', 'c checks', 'a answers', 'b answers', 'c answers']);
});

test('one that is alone waits for one turn, and who comes then for the next one', async () => {
  const { steps, walk } = walkers();
  const first = walk('a');
  await setImmediate();
  expect(steps).toEqual(['a checks', 'a answers']);
  const second = walk('b');
  await Promise.all([first, second]);
  expect(steps).toEqual(['a checks', 'a answers', 'b checks', 'b answers']);
});

test('a turn that brings nobody ends the wait', async () => {
  const { steps, walk } = walkers();
  const walks = [walk('a'), walk('b')];
  await setImmediate();
  await setImmediate();
  expect(steps).toHaveLength(4);
  await Promise.all(walks);
});

test('however many come, each turn with another one, nobody waits for more than two dozen', async () => {
  const { steps, walk } = walkers();
  const walks: Promise<void>[] = [];
  while (steps.length === 0) {
    walks.push(walk(`${walks.length}`));
    await setImmediate();
  }
  await Promise.all(walks);
  expect(walks.length).toBeLessThanOrEqual(25);
});
