import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuerySlots } from '../src/client/query-slots.ts';
import type { Turn } from '../src/client/query-slots.ts';

const { signal: patient } = new AbortController();

/** What has a slot, of those that are asked for. */
function holding(turns: readonly Turn[]): number[] {
  return [...turns.keys()].filter((index) => turns[index]!.holder !== undefined);
}

describe('slots for queries', () => {
  it('are granted to one owner as long as it has less than a quarter of what is free', () => {
    const slots = new QuerySlots(256, 1000);
    const owner = {};
    const turns = Array.from({ length: 200 }, () => slots.acquire(owner, patient));
    expect(holding(turns)).toHaveLength(52);
    expect(slots.acquire({}, patient).holder).toBeDefined();
  });

  it('go to the owners in turn when all are taken', () => {
    const slots = new QuerySlots(1, 1000);
    const first = slots.acquire({}, patient);
    const [a, b] = [{}, {}];
    const turns = [a, a, a, b].map((owner) => slots.acquire(owner, patient));
    const order: number[] = [];
    slots.release(first);
    while (order.length < turns.length) {
      const [next] = holding(turns).filter((index) => !order.includes(index));
      order.push(next!);
      slots.release(turns[next!]!);
    }
    expect(order).toEqual([0, 3, 1, 2]);
  });

  it('come from whichever owner of a look-up may have one', async () => {
    const slots = new QuerySlots(8, 1000);
    const greedy = {};
    const turns = Array.from({ length: 5 }, () => slots.acquire(greedy, patient));
    const last = turns.at(-1)!;
    expect(last.holder).toBeUndefined();
    const modest = {};
    slots.join(last, modest);
    expect(last.holder).toBe(modest);
    expect(await last.granted).toBe(true);
  });

  it('are refused when too many wait, or when the look-up was given up', async () => {
    const slots = new QuerySlots(1, 1);
    const first = slots.acquire({}, patient);
    const impatient = new AbortController();
    const second = slots.acquire({}, impatient.signal);
    expect(await slots.acquire({}, patient).granted).toBe(false);
    impatient.abort();
    expect(await second.granted).toBe(false);
    const third = slots.acquire({}, patient);
    slots.release(first);
    expect(await third.granted).toBe(true);
    expect(await slots.acquire({}, AbortSignal.abort()).granted).toBe(false);
  });

  it('are never more than there are, and come to everybody who waits, whatever is asked, joined, given up and released', () => {
    const step = fc.record({
      action: fc.constantFrom('acquire', 'acquire', 'join', 'giveUp', 'release'),
      owner: fc.nat(4),
      which: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
        const slots = new QuerySlots(count, 1000);
        const owners = Array.from({ length: 5 }, () => ({}));
        const asked: { turn: Turn; abort: AbortController }[] = [];
        const isOpen = ({ turn, abort }: (typeof asked)[number]): boolean =>
          turn.holder !== undefined || !abort.signal.aborted;
        let open = asked;
        const release = (turn: Turn): void => {
          if (turn.holder === undefined) return;
          slots.release(turn);
          open = open.filter((one) => one.turn !== turn);
        };
        for (const { action, owner, which } of steps) {
          const one = open[which % Math.max(1, open.length)];
          if (action === 'acquire') {
            const abort = new AbortController();
            open = [...open, { turn: slots.acquire(owners[owner]!, abort.signal), abort }];
          } else if (one !== undefined) {
            if (action === 'join') slots.join(one.turn, owners[owner]!);
            else if (action === 'giveUp') one.abort.abort();
            else release(one.turn);
          }
          open = open.filter(isOpen);
          expect(holding(open.map(({ turn }) => turn)).length).toBeLessThanOrEqual(count);
        }
        while (open.length > 0) {
          const [held] = holding(open.map(({ turn }) => turn));
          expect(held).toBeDefined();
          release(open[held!]!.turn);
        }
      }),
    );
  });
});
