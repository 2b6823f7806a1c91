/**
 * The loop of a coverage-guided fuzzer: change an input, put it through, keep it if it made code run that had not run.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SeededRandom } from '@zegel/test-harness';
import type { Coverage, FileCoverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { signatureOf } from './target.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzPlan {
  readonly target: FuzzTarget;
  readonly coverage: Coverage;
  readonly random: SeededRandom;
  /** Inputs to begin with, beside the target's own. */
  readonly corpus: readonly Buffer[];
  /** How many of all those are used, evenly picked. */
  readonly maxSeeds: number;
  readonly seconds: number;
  /** Inputs after which to stop, if that comes first. */
  readonly executions: number;
}

export interface Progress {
  readonly executions: number;
  readonly seconds: number;
  readonly corpus: number;
  /** Of the packages that the target covers. */
  readonly coverage: readonly FileCoverage[];
  /** Words the target answered so far. */
  readonly words: number;
  /** Octets of heap in use after a collection, inputs kept left out. */
  readonly heap: number;
  /** The input that took most processor time. */
  readonly slowest: { readonly milliseconds: number; readonly octets: number };
}

export interface FuzzEvents {
  /** About to put an input through, and done with it: for a watchdog outside. */
  begin(input: Buffer): void;
  finish(): void;
  /** An input that made something new happen. */
  kept(input: Buffer): void;
  failed(failure: { readonly signature: string; readonly detail: string; readonly input: Buffer }): void;
  progress(progress: Progress): void;
}

/** Inputs between two looks at the coverage. */
const batchSize = 64;
const progressEverySeconds = 5;

export async function fuzz(plan: FuzzPlan, events: FuzzEvents, collectGarbage: () => void): Promise<Progress> {
  const { target, coverage, random } = plan;
  const corpus: Buffer[] = [];
  const digests = new Set<string>();
  const words = new Set<string>();
  const signatures = new Set<string>();
  const began = performance.now();
  let executions = 0;
  let keptOctets = 0;
  let slowest = { milliseconds: 0, octets: 0 };

  /** Whether a word came out that never had before. */
  const execute = async (input: Buffer): Promise<boolean> => {
    executions++;
    const before = process.threadCpuUsage();
    events.begin(input);
    let answered: readonly string[] = [];
    try {
      answered = await target.run(input);
    } catch (error) {
      const signature = signatureOf(error);
      if (!signatures.has(signature)) {
        signatures.add(signature);
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        events.failed({ signature, detail, input: Buffer.from(input) });
      }
    }
    events.finish();
    const { user, system } = process.threadCpuUsage(before);
    const milliseconds = (user + system) / 1000;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, octets: input.length };
    const known = words.size;
    for (const word of answered) words.add(word);
    return words.size > known;
  };

  const keep = (input: Buffer): void => {
    const digest = createHash('sha1').update(input).digest('base64');
    if (digests.has(digest)) return;
    digests.add(digest);
    corpus.push(Buffer.from(input));
    keptOctets += input.length;
  };

  /** Runs inputs, and keeps those that something new came of. */
  const executeBatch = async (inputs: readonly Buffer[]): Promise<void> => {
    const fruitful = new Set<Buffer>();
    for (const input of inputs) if (await execute(input)) fruitful.add(input);
    if (coverage.look()) {
      // Something new ran: one by one, to see which input did it.
      coverage.forgetLast();
      for (const input of inputs) {
        await execute(input);
        if (coverage.look()) fruitful.add(input);
      }
    }
    for (const input of fruitful) {
      keep(input);
      events.kept(input);
    }
  };

  const measure = (): Progress => {
    collectGarbage();
    const heap = process.memoryUsage().heapUsed - keptOctets;
    const seconds = (performance.now() - began) / 1000;
    const covered = coverage
      .files()
      .filter(({ file }) => target.covers.some((one) => file.startsWith(`packages/${one}/`)));
    return { executions, seconds, corpus: corpus.length, coverage: covered, words: words.size, heap, slowest };
  };

  const seeds = [...target.seeds(), ...plan.corpus];
  const step = Math.max(1, Math.ceil(seeds.length / plan.maxSeeds));
  for (const input of seeds.filter((_, index) => index % step === 0)) {
    const saidMore = await execute(input);
    const ranMore = coverage.look();
    if (saidMore || ranMore) keep(input);
  }
  if (corpus.length === 0) keep(Buffer.alloc(0));

  const pick = (): Buffer => {
    // What was kept last leads further more often.
    const from = random.chance(3) ? Math.max(0, corpus.length - 20) : 0;
    return corpus[random.between(from, corpus.length - 1)] ?? Buffer.alloc(0);
  };
  let reported = performance.now();
  const isOver = () => executions >= plan.executions || performance.now() - began >= plan.seconds * 1000;
  while (!isOver()) {
    const batch = Array.from({ length: batchSize }, () => mutate(pick(), pick(), target.tokens, random));
    await executeBatch(batch);
    if (performance.now() - reported >= progressEverySeconds * 1000) {
      events.progress(measure());
      reported = performance.now();
    }
    await nextTurn();
  }
  return measure();
}
