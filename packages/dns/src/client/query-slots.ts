import { MAX_PART_OF_FREE_SLOTS } from '../limits.ts';

/** One look-up on its way to a slot. */
export class Turn {
  /** Whether it came to a slot. False when too many waited already, or when it was given up. */
  readonly granted: Promise<boolean>;
  readonly settle: (granted: boolean) => void;
  /** Those who wait for it; none once it is settled. */
  readonly waiting = new Set<object>();
  /** To whom its slot was given. */
  holder: object | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.granted = promise;
    this.settle = resolve;
  }
}

/**
 * Bounds how many look-ups hold a socket at once; the others wait their turn.
 *
 * An owner gets one while it has less than a part of those that are free: whoever asks for much that is slow leaves
 * slots to others, and has the fewer the more of its kind there are. So those who ask for little do not wait before every
 * slot has another owner. Those who wait take turns.
 */
export class QuerySlots {
  readonly #maxWaiting: number;
  #free: number;
  /** Slots held, by owner. */
  readonly #held = new Map<object, number>();
  /** What each owner waits for. Whose turn comes first stands first. */
  readonly #queues = new Map<object, Set<Turn>>();
  #waiting = 0;

  constructor(slots: number, maxWaiting: number) {
    this.#free = slots;
    this.#maxWaiting = maxWaiting;
  }

  /** Asks for a slot, which must be released if it is granted. The signal gives it up. */
  acquire(owner: object, signal: AbortSignal): Turn {
    const turn = new Turn();
    if (signal.aborted) turn.settle(false);
    else if (this.#mayHold(owner)) this.#grant(turn, owner);
    else if (this.#waiting >= this.#maxWaiting) turn.settle(false);
    else {
      this.#waiting += 1;
      this.#queue(turn, owner);
      signal.addEventListener('abort', () => this.#giveUp(turn), { once: true });
    }
    return turn;
  }

  /** Another owner wants the same: the slot may come from either. */
  join(turn: Turn, owner: object): void {
    if (turn.waiting.size === 0) return;
    if (this.#mayHold(owner)) this.#grant(turn, owner);
    else this.#queue(turn, owner);
  }

  /** Gives back the slot that was granted. */
  release({ holder }: Turn): void {
    if (holder === undefined) return;
    const held = this.#heldBy(holder) - 1;
    if (held > 0) this.#held.set(holder, held);
    else this.#held.delete(holder);
    this.#free += 1;
    this.#grantWaiting();
  }

  #heldBy(owner: object): number {
    return this.#held.get(owner) ?? 0;
  }

  #mayHold(owner: object): boolean {
    return this.#heldBy(owner) < this.#free * MAX_PART_OF_FREE_SLOTS;
  }

  #grant(turn: Turn, owner: object): void {
    this.#leave(turn);
    this.#free -= 1;
    this.#held.set(owner, this.#heldBy(owner) + 1);
    turn.holder = owner;
    turn.settle(true);
  }

  /** Whoever is passed over needs no second look: each slot that is granted leaves less. */
  #grantWaiting(): void {
    for (const [owner, queue] of this.#queues) {
      if (this.#free <= 0) return;
      const [turn] = queue;
      if (turn === undefined || !this.#mayHold(owner)) continue;
      this.#queues.delete(owner);
      this.#queues.set(owner, queue);
      this.#grant(turn, owner);
    }
  }

  #queue(turn: Turn, owner: object): void {
    turn.waiting.add(owner);
    const queue = this.#queues.get(owner);
    if (queue === undefined) this.#queues.set(owner, new Set([turn]));
    else queue.add(turn);
  }

  #leave(turn: Turn): void {
    if (turn.waiting.size === 0) return;
    this.#waiting -= 1;
    for (const owner of turn.waiting) {
      const queue = this.#queues.get(owner);
      queue?.delete(turn);
      if (queue?.size === 0) this.#queues.delete(owner);
    }
    turn.waiting.clear();
  }

  #giveUp(turn: Turn): void {
    this.#leave(turn);
    turn.settle(false);
  }
}
