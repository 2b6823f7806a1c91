/**
 * Runs a target in a thread of its own, with a watchdog: an input that takes too long, or all of the heap, is a finding
 * like any other.
 */
import { Worker } from 'node:worker_threads';
import type { Progress } from './engine.ts';
import { maxInputOctets } from './mutate.ts';
import type { WorkerReport, WorkerTask } from './worker.ts';

/** Seconds of processor time that one input may take. Not of the clock: the machine may be busy with other things. */
const budgetSeconds = 1;
/** Seconds of the clock after which an input that does not even use the processor is given up. */
const patienceSeconds = 30;
/** MiB of heap for a whole run. */
const maxHeap = 768;
/** Octets by which the heap may be larger at the end than after the first seconds, when all code is there. */
const maxGrowth = 32 * 2 ** 20;
/** Times that a run goes on in a new thread. */
const maxThreads = 10;

export interface Finding {
  readonly signature: string;
  readonly detail: string;
  readonly input: Buffer;
}

export interface FuzzRun {
  readonly target: string;
  readonly seed: string;
  readonly seconds: number;
  readonly executions: number;
  readonly corpus: readonly Uint8Array[];
  /** How many of the inputs to begin with are used. Default: all. */
  readonly maxSeeds?: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface FuzzSummary {
  readonly progress: Progress | undefined;
  readonly findings: readonly Finding[];
  /** Inputs that made something new happen. */
  readonly kept: readonly Buffer[];
}

/** Fuzzes one target. After a hang it goes on in a new thread with what was kept until then. */
export async function runFuzz(run: FuzzRun): Promise<FuzzSummary> {
  const findings: Finding[] = [];
  const note = (finding: Finding): void => {
    if (!findings.some(({ signature }) => signature === finding.signature)) findings.push(finding);
  };
  const kept: Buffer[] = [];
  let progress: Progress | undefined;
  let firstHeap: number | undefined;
  const until = performance.now() + run.seconds * 1000;
  for (let thread = 0; thread < maxThreads; thread++) {
    const seconds = (until - performance.now()) / 1000;
    if (seconds <= 0) break;
    const { target, executions, maxSeeds = Infinity } = run;
    const corpus = [...run.corpus, ...kept];
    const seed = thread === 0 ? run.seed : `${run.seed}/${thread}`;
    const guarded = new GuardedThread({ target, work: { kind: 'fuzz', seed, seconds, executions, corpus, maxSeeds } });
    const broke = await guarded.until((message) => {
      if (message.kind === 'kept') kept.push(Buffer.from(message.input));
      if (message.kind === 'failed') note({ ...message, input: Buffer.from(message.input) });
      if (message.kind === 'progress' || message.kind === 'done') progress = message.progress;
      firstHeap ??= progress?.heap;
      if (message.kind === 'progress') run.onProgress?.(message.progress);
      return message.kind === 'done';
    });
    await guarded.end();
    if (broke === null) break;
    note(broke);
  }
  const growth = (progress?.heap ?? 0) - (firstHeap ?? 0);
  if (growth > maxGrowth) {
    note({ signature: 'growth', detail: `The heap grew by ${growth} octets`, input: Buffer.alloc(0) });
  }
  return { progress, findings, kept };
}

/** Puts single inputs through one target. */
export class Prober {
  readonly #target: string;
  #thread: GuardedThread | undefined;

  constructor(target: string) {
    this.#target = target;
  }

  /** The finding that the input is, or null when all is well. One at a time. */
  async probe(input: Uint8Array): Promise<Finding | null> {
    this.#thread ??= new GuardedThread({ target: this.#target, work: { kind: 'probe' } });
    let found: Finding | null = null;
    this.#thread.send(input);
    const broke = await this.#thread.until((message) => {
      if (message.kind !== 'probed') return false;
      const { signature, detail } = message;
      if (signature !== null) found = { signature, detail, input: Buffer.from(input) };
      return true;
    });
    if (broke !== null) await this.end();
    return broke ?? found;
  }

  async end(): Promise<void> {
    await this.#thread?.end();
    this.#thread = undefined;
  }
}

class GuardedThread {
  readonly #window = new SharedArrayBuffer(8 + maxInputOctets);
  readonly #state = new Int32Array(this.#window, 0, 2);
  readonly #worker: Worker;
  readonly #watchdog: NodeJS.Timeout;
  #listen: (message: WorkerReport) => void = () => {};
  #broke: (error: Finding | Error) => void = () => {};

  constructor(task: Omit<WorkerTask, 'window'>) {
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: { ...task, window: this.#window } satisfies WorkerTask,
      resourceLimits: { maxOldGenerationSizeMb: maxHeap },
      // The bare runtime, whatever the process at hand was started with.
      execArgv: [],
    });
    this.#worker.on('message', (message: WorkerReport) => this.#listen(message));
    this.#worker.on('error', (error: Error & { code?: string }) => {
      // Outside an input it is the fuzzer itself that broke.
      if (!this.#isBusy()) return this.#broke(error);
      const signature = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out of memory' : `uncaught: ${error.name}`;
      return this.#broke({ signature, detail: error.stack ?? error.message, input: this.#input() });
    });
    this.#watchdog = this.#watch();
  }

  send(message: Uint8Array): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
    this.#worker.postMessage(message);
  }

  /** Listens until `isLast`, or until the thread breaks: then the input it broke at. */
  until(isLast: (message: WorkerReport) => boolean): Promise<Finding | null> {
    return new Promise((resolve, reject) => {
      this.#broke = (what) => (what instanceof Error ? reject(what) : resolve(what));
      this.#listen = (message) => {
        if (isLast(message)) resolve(null);
      };
    });
  }

  async end(): Promise<void> {
    clearInterval(this.#watchdog);
    await this.#worker.terminate();
  }

  #isBusy(): boolean {
    return Atomics.load(this.#state, 0) % 2 === 1;
  }

  /** The input that is being put through. */
  #input(): Buffer {
    return Buffer.from(Buffer.from(this.#window, 8, this.#state[1]));
  }

  #watch(): NodeJS.Timeout {
    let seen = -1;
    let since = { processor: process.cpuUsage(), clock: performance.now() };
    return setInterval(() => {
      const count = Atomics.load(this.#state, 0);
      if (count !== seen || !this.#isBusy()) {
        seen = count;
        since = { processor: process.cpuUsage(), clock: performance.now() };
        return;
      }
      const { user, system } = process.cpuUsage(since.processor);
      const used = (user + system) / 1e6;
      const waited = (performance.now() - since.clock) / 1000;
      if (used < budgetSeconds && waited < patienceSeconds) return;
      const detail = `No end after ${used.toFixed(1)} s of processor time, ${waited.toFixed(1)} s in all`;
      this.#broke({ signature: 'hang', detail, input: this.#input() });
    }, 100);
  }
}
