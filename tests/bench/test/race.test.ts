import { describe, expect, it } from 'vitest';
import { race, timesRate } from '../src/race.ts';
import type { Contestant } from '../src/race.ts';

interface Turn {
  readonly name: string;
  readonly count: number;
}

/** One that says how long it took, by what an operation of it costs in seconds, at each of its turns. */
function contestant(name: string, cost: (turn: number) => number, turns: Turn[], isHere = true): Contestant {
  let turn = 0;
  return {
    name,
    isHere,
    async run(count) {
      turns.push({ name, count });
      return count * cost(turn++);
    },
  };
}

describe('a race', () => {
  it('gathers a sample of those in this process over short turns, and has those apart make theirs at once', async () => {
    const turns: Turn[] = [];
    const contestants = [
      contestant('here', () => 0.001, turns),
      contestant('there', () => 0.001, turns, false),
      contestant('here too', () => 0.002, turns),
    ];
    const rates = await race(contestants, { rounds: 1, sampleSeconds: 0.1 });
    expect(turns.slice(-11)).toEqual([
      ...Array.from({ length: 5 }, () => [
        { name: 'here', count: 20 },
        { name: 'here too', count: 10 },
      ]).flat(),
      { name: 'there', count: 100 },
    ]);
    expect(rates.map(({ rate }) => Math.round(rate))).toEqual([1000, 1000, 500]);
  });

  it('does in a turn what a sample has for it, of work that is longer than a turn', async () => {
    const turns: Turn[] = [];
    const [rate] = await race([contestant('slow', () => 0.04, turns)], { rounds: 2, sampleSeconds: 0.1 });
    expect(turns.slice(-6).map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(rate?.samples.map(Math.round)).toEqual([25, 25]);
  });

  it('has everybody work for a while before it counts', async () => {
    const turns: Turn[] = [];
    const late = contestant('compiled late', (turn) => (turn < 20 ? 0.01 : 0.001), turns);
    const [rate] = await race([late], { rounds: 3, sampleSeconds: 0.02, warmUpSeconds: 0.5 });
    expect(rate?.samples.map(Math.round)).toEqual([1000, 1000, 1000]);
  });

  it('says what is reached when neighbours are away', async () => {
    // Every fifth turn is a quiet one.
    const crowded = contestant('crowded', (turn) => (turn % 5 === 0 ? 0.0005 : 0.001), []);
    const [rate] = await race([crowded], { rounds: 9, sampleSeconds: 0.1 });
    expect(Math.round(rate?.quiet ?? 0)).toBe(2000);
    expect(Math.round(rate?.rate ?? 0)).toBe(1111);
  });

  it('compares what stands side by side', () => {
    expect(timesRate([50, 100, 80], [100, 200, 100])).toBe(0.5);
  });
});
