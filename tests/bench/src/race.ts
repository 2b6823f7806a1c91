/** Rates per second of processor time, of contestants that take turns. */

/** Does the work `count` times and answers the seconds of processor time it took, all threads of its process. */
export type Timed = (count: number) => Promise<number>;

export interface Contestant {
  readonly name: string;
  readonly run: Timed;
  /** In this process: a turn somewhere else leaves its caches to others. */
  readonly isHere?: boolean;
}

export interface RaceOptions {
  readonly rounds: number;
  /** Seconds of processor time that one sample takes, about. */
  readonly sampleSeconds: number;
  /**
   * Seconds of processor time that each contestant works before it counts; default: one sample. V8 goes on compiling for some ten
   * thousand operations: a verification takes a quarter less then, and whoever runs a service meets only that.
   */
  readonly warmUpSeconds?: number;
}

export interface Rate {
  readonly name: string;
  /** Median of the rounds: operations per second of processor time. */
  readonly rate: number;
  /** Each round's rate, in order. */
  readonly samples: readonly number[];
  /** What a tenth of the turns reach: the rate in moments when neighbours leave the core alone, if there are such. */
  readonly quiet: number;
}

/**
 * A contestant inside this process. The work may be synchronous: then no promise is awaited.
 *
 * A third as much is done before it counts: whoever comes behind one that makes much garbage would pay for that, and for
 * compiled code that the collector threw away meanwhile.
 */
export function inProcess(name: string, work: () => unknown): Contestant {
  const repeat = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      const done = work();
      if (done instanceof Promise) await done;
    }
  };
  return {
    name,
    isHere: true,
    async run(count) {
      await repeat(Math.ceil(count / 3));
      const before = process.cpuUsage();
      await repeat(count);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    },
  };
}

/** Seconds of processor time of one turn, about: neighbours that share the cores come and go faster than a sample is long. */
const turnSeconds = 0.02;

/**
 * Lets contestants take turns, so that a slow spell of the machine meets all of them, and answers the median rate of
 * each. Those of this process take many short turns for a sample; those apart make theirs at once, when these are through.
 */
export async function race(contestants: readonly Contestant[], options: RaceOptions): Promise<readonly Rate[]> {
  const { rounds, sampleSeconds } = options;
  const entries = contestants.map((contestant): Entry => ({ contestant, count: 1, samples: [], turns: [] }));
  const here = entries.filter(({ contestant }) => contestant.isHere === true);
  const apart = entries.filter(({ contestant }) => contestant.isHere !== true);
  // This process last: what it waits for others after its own warm-up costs it a tenth, compiled code that a collection
  // took, we think.
  for (const entry of [...apart, ...here]) entry.count = await warmUp(entry.contestant, options);
  for (let round = 0; round < rounds; round++) {
    await takeSamples(here, Math.max(1, Math.round(sampleSeconds / turnSeconds)));
    await takeSamples(apart, 1);
  }
  return entries.map(({ contestant: { name }, samples, turns }) => ({
    name,
    rate: median(samples),
    samples,
    quiet: quantile(turns, 0.9),
  }));
}

/** A contestant in a race: how often it does its work for a sample, and the rates so far, of samples and of turns. */
interface Entry {
  readonly contestant: Contestant;
  count: number;
  readonly samples: number[];
  readonly turns: number[];
}

/** Has a contestant work for a while, and answers how often it does its work for a sample. */
async function warmUp({ run }: Contestant, options: RaceOptions): Promise<number> {
  const { sampleSeconds, warmUpSeconds = sampleSeconds } = options;
  let count = 1;
  let seconds = await run(count);
  for (let warm = seconds; warm < warmUpSeconds || seconds < sampleSeconds / 2; warm += seconds) {
    // Until a sample is long enough to say how many make up a whole one.
    if (seconds < sampleSeconds / 2) count *= seconds < sampleSeconds / 16 ? 8 : 2;
    seconds = await run(count);
  }
  return Math.max(1, Math.round((count * sampleSeconds) / seconds));
}

/** One sample of each, gathered over so many turns. */
async function takeSamples(entries: readonly Entry[], turns: number): Promise<void> {
  const seconds = entries.map(() => 0);
  for (let turn = 0; turn < turns; turn++) {
    for (const [at, { contestant, count, turns: rates }] of entries.entries()) {
      const share = shareOf(count, turn, turns);
      if (share === 0) continue;
      const taken = await contestant.run(share);
      rates.push(rateOf(share, taken));
      seconds[at] = (seconds[at] ?? 0) + taken;
    }
  }
  for (const [at, { count, samples }] of entries.entries()) samples.push(rateOf(count, seconds[at] ?? 0));
}

/** A time too short to be measured counts as a microsecond. */
function rateOf(count: number, seconds: number): number {
  return count / Math.max(1e-6, seconds);
}

/** How many of a count fall to one of so many turns. */
function shareOf(count: number, turn: number, turns: number): number {
  return Math.floor((count * (turn + 1)) / turns) - Math.floor((count * turn) / turns);
}

/**
 * How many times the rate of a reference this one is: the median of the rounds' own ratios. The two stand side by side in a
 * round, so that a machine whose speed changes with its neighbours changes both.
 */
export function timesRate(rate: readonly number[], reference: readonly number[]): number {
  return median(rate.map((one, round) => one / (reference[round] ?? one)));
}

export function median(values: readonly number[]): number {
  const ordered = values.toSorted((one, other) => one - other);
  const middle = ordered.length >> 1;
  const upper = ordered[middle] ?? 0;
  return ordered.length % 2 === 1 ? upper : (upper + (ordered[middle - 1] ?? upper)) / 2;
}

/** The value below which `share` of them lie. */
export function quantile(values: readonly number[], share: number): number {
  const ordered = values.toSorted((one, other) => one - other);
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? 0;
}
