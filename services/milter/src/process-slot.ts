import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger, ReadinessReport } from '@zegel/service-runtime';
import { milterServiceLimits as limits } from './limits.ts';
import { isAnswer } from './process-messages.ts';
import type { Answer, Order } from './process-messages.ts';

/** A process could not be started, or is not there now. `code` is what it told, or `milter.process-missing`. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Listeners = Extract<Answer, { readonly kind: 'started' }>['listeners'];

/** One of the processes of a milter: started anew when it ends, later each time unless it has lived for a while. */
export class ProcessSlot {
  readonly number: number;
  readonly #fork: () => Worker;
  readonly #logger: Logger;
  readonly #asked = new Map<number, (answer: Answer | null) => void>();
  readonly #stopping = new AbortController();
  #worker: Worker | null = null;
  #isServing = false;
  #isReloadWanted = false;
  #nextId = 1;
  /** Metrics the last time they were asked for. */
  #lastMetrics: string | null = null;
  restarts = 0;

  constructor(number: number, fork: () => Worker, logger: Logger) {
    this.number = number;
    this.#fork = fork;
    this.#logger = logger;
  }

  /** Starts the process and keeps one running from then on. Rejects with a {@link ProcessError} when the first one fails. */
  async start(): Promise<Listeners> {
    const worker = this.#fork();
    const listeners = await this.#launch(worker);
    void this.#keep(worker);
    return listeners;
  }

  /** Waits until a process serves. Its end is watched from the beginning. */
  async #launch(worker: Worker): Promise<Listeners> {
    this.#worker = worker;
    const { promise, resolve, reject } = Promise.withResolvers<Listeners>();
    worker.on('message', (answer: unknown) => {
      if (!isAnswer(answer)) return;
      if (answer.kind === 'started') {
        this.#isServing = true;
        resolve(answer.listeners);
      } else if (answer.kind === 'failed') {
        reject(new ProcessError(answer.code, answer.reason));
      } else {
        this.#asked.get(answer.id)?.(answer);
      }
    });
    worker.once('exit', (status, signal) => {
      this.#isServing = false;
      for (const settle of this.#asked.values()) settle(null);
      reject(new ProcessError('milter.process-missing', `the process ended (${signal ?? status}) before it served`));
    });
    worker.on('error', () => {
      // Shows as an end.
    });
    return promise;
  }

  async #keep(first: Worker): Promise<void> {
    const { signal } = this.#stopping;
    let worker = first;
    let pauseMs = limits.firstRestartMs;
    let since = performance.now();
    for (;;) {
      if (!worker.isDead()) await once(worker, 'exit').catch(() => {});
      if (signal.aborted) return;
      if (performance.now() - since > limits.stableMs) pauseMs = limits.firstRestartMs;
      this.#logger.error({ process: this.number, pauseMs }, 'a process ended and is started anew');
      await delay(pauseMs, null, { signal }).catch(() => {});
      if (signal.aborted) return;
      pauseMs = Math.min(2 * pauseMs, limits.longestRestartMs);
      this.restarts++;
      since = performance.now();
      worker = this.#fork();
      try {
        await this.#launch(worker);
        if (this.#isReloadWanted) this.reload();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#logger.error({ process: this.number, reason }, 'a process could not be started anew');
      }
    }
  }

  reload(): void {
    // One that is starting reads what is there now; but it may have read it a moment ago.
    this.#isReloadWanted = !this.#isServing;
    if (this.#isServing) this.#tell({ kind: 'reload' });
  }

  /** Its metrics; those of the last time when it does not answer, so that counters do not fall. */
  async metrics(timeoutMs: number): Promise<string | null> {
    const answer = await this.#ask((id) => ({ kind: 'metrics', id }), timeoutMs);
    if (answer?.kind === 'metrics') this.#lastMetrics = answer.text;
    return this.#lastMetrics;
  }

  /** Rejects with a code when the process does not serve, or a check of its own fails. */
  async ready(timeoutMs: number): Promise<void> {
    const answer = await this.#ask((id) => ({ kind: 'readiness', id }), timeoutMs);
    if (answer?.kind !== 'readiness') throw new ProcessError('milter.process-missing', 'the process does not answer');
    const failed = firstFailure(answer.report);
    if (failed !== null) throw new ProcessError(failed, 'a check of the process fails');
  }

  /** Asks it to stop, and kills it when it has not stopped within the grace time. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const worker = this.#worker;
    if (worker === null || worker.isDead()) return;
    const exited = once(worker, 'exit').catch(() => {});
    this.#tell({ kind: 'stop' });
    const killing = setTimeout(() => worker.process.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(killing);
  }

  async #ask(order: (id: number) => Order, timeoutMs: number): Promise<Answer | null> {
    if (!this.#isServing) return null;
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Answer | null>();
    const timer = setTimeout(resolve, timeoutMs, null);
    this.#asked.set(id, resolve);
    this.#tell(order(id));
    const answer = await promise;
    clearTimeout(timer);
    this.#asked.delete(id);
    return answer;
  }

  #tell(order: Order): void {
    // What cannot be told is told by the end of the process.
    if (this.#worker?.isConnected() === true) this.#worker.send(order, () => {});
  }
}

function firstFailure({ ready, checks }: ReadinessReport): string | null {
  if (ready) return null;
  return checks.find(({ ok }) => !ok)?.code ?? 'milter.process-missing';
}
