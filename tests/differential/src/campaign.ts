/** A run of one suite: many inputs made from a seed, each put to us and to the peers, and what came of it. */

/** What one peer and we said about one thing in one input: a signature, a policy, a check. */
export interface Comparison {
  readonly peer: string;
  readonly ours: string;
  readonly theirs: string;
  readonly agrees: boolean;
  /** The part of the input it is about, for people: a signature, a From field. */
  readonly about?: string;
  /** The id of the ruling that settles a disagreement. */
  readonly ruling?: string | undefined;
}

/** Inputs by index, and how to put one to everybody. */
export interface Suite extends AsyncDisposable {
  readonly name: string;
  /** All comparisons for the input with this index, and the input itself, to be repeated from its bytes alone. */
  compare(index: number): Promise<{ readonly comparisons: readonly Comparison[]; readonly input: Uint8Array }>;
}

/** A disagreement that no ruling settles. */
export interface Unsettled extends Comparison {
  readonly index: number;
  readonly input: Uint8Array;
}

export interface Tally {
  readonly suite: string;
  readonly inputs: number;
  /** By peer. */
  readonly comparisons: ReadonlyMap<string, number>;
  /** What we said, by word, over all comparisons: a suite that only ever hears `fail` compares nothing. */
  readonly words: ReadonlyMap<string, number>;
  /** By ruling. */
  readonly settled: ReadonlyMap<string, number>;
  readonly unsettled: readonly Unsettled[];
}

export interface CampaignOptions {
  readonly first?: number;
  readonly count: number;
  /** How many inputs are under way at once. */
  readonly concurrency?: number;
  /** Called after every input. */
  readonly progress?: (done: number, unsettled: number) => void;
  /** The run ends when so many disagreements are unsettled. */
  readonly enough?: number;
}

/** Enough to keep the peers' processes busy while we compute. */
const defaultConcurrency = 8;

/** Puts `count` inputs to a suite. */
export async function runCampaign(suite: Suite, options: CampaignOptions): Promise<Tally> {
  const { first = 0, count, concurrency = defaultConcurrency, enough = Infinity } = options;
  const comparisons = new Map<string, number>();
  const words = new Map<string, number>();
  const settled = new Map<string, number>();
  const unsettled: Unsettled[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < count && unsettled.length < enough) {
      const index = first + next;
      next += 1;
      const outcome = await suite.compare(index);
      for (const comparison of outcome.comparisons) {
        add(comparisons, comparison.peer);
        add(words, comparison.ours);
        if (comparison.agrees) continue;
        if (comparison.ruling === undefined) unsettled.push({ ...comparison, index, input: outcome.input });
        else add(settled, comparison.ruling);
      }
      done += 1;
      options.progress?.(done, unsettled.length);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { suite: suite.name, inputs: done, comparisons, words, settled, unsettled };
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** How many of the unsettled disagreements a report spells out. */
const spelledOut = 10;

function counted(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([key, count]) => `${key} ${count}`).join(', ');
}

/** A tally for people: counts, and for every unsettled disagreement what it takes to repeat it. */
export function describeTally(tally: Tally, seed: number): string {
  return [
    `${tally.suite}: ${tally.inputs} inputs, compared with ${counted(tally.comparisons)}`,
    `  we said: ${counted(tally.words)}`,
    `  disagreements settled by ruling: ${counted(tally.settled) || 'none'}`,
    `  unsettled: ${tally.unsettled.length}`,
    ...tally.unsettled
      .slice(0, spelledOut)
      .map(
        ({ peer, ours, theirs, index, input, about }) =>
          `  seed ${seed}, index ${index}: we say ${ours}, ${peer} says ${theirs}\n    ${about === undefined ? '' : `${JSON.stringify(about)}\n    `}${Buffer.from(input).toString('base64')}`,
      ),
  ].join('\n');
}
