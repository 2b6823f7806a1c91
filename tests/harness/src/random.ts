import { createHash, randomInt } from 'node:crypto';

/** A repeatable source of choices: the same seed gives the same sequence on every machine. */
export interface SeededRandom {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True once in `oneIn` times. */
  chance(oneIn: number): boolean;
  pick<Choice>(choices: readonly [Choice, ...Choice[]]): Choice;
  /** `count` bytes, each from `low` to `high`, both included. */
  bytes(count: number, low?: number, high?: number): Buffer;
}

/** The four 32-bit words of the state come from a hash, so that seeds that look alike start far apart. */
export function seededRandom(seed: string): SeededRandom {
  const digest = createHash('sha256').update(seed).digest();
  const state = Uint32Array.from({ length: 4 }, (_, word) => digest.readUInt32LE(word * 4));
  // Marsaglia's xorshift128 ("Xorshift RNGs", 2003): quick, and good enough to choose test data.
  const next = (): number => {
    const [first = 1, , , last = 1] = state;
    const mixed = first ^ (first << 11);
    state.copyWithin(0, 1);
    state[3] = last ^ (last >>> 19) ^ mixed ^ (mixed >>> 8);
    return state[3] ?? 0;
  };
  const between = (low: number, high: number) => low + (next() % (high - low + 1));
  return {
    between,
    chance: (oneIn) => between(1, oneIn) === 1,
    pick: (choices) => choices[between(0, choices.length - 1)] ?? choices[0],
    bytes: (count, low = 0, high = 255) => {
      const bytes = Buffer.allocUnsafe(count);
      for (let at = 0; at < count; at += 1) bytes[at] = between(low, high);
      return bytes;
    },
  };
}

let chosen: number | undefined;

/**
 * The seed of this test run: ZEGEL_SEED, or else a new one, said on stderr so that a failure can be repeated.
 * Throws when ZEGEL_SEED is not a whole number.
 */
export function runSeed(): number {
  if (chosen === undefined) {
    const wanted = process.env['ZEGEL_SEED'];
    chosen = wanted === undefined || wanted === '' ? randomInt(2 ** 31) : Number(wanted);
    if (!Number.isSafeInteger(chosen)) throw new Error(`ZEGEL_SEED must be a whole number, not "${wanted}"`);
    console.error(`ZEGEL_SEED=${chosen}`);
  }
  return chosen;
}
