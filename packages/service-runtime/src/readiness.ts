import { errorCode } from './errors.ts';

/** Resolves when what it checks works; rejects, or does not end in time, when it does not. */
export type ReadinessCheck = () => Promise<unknown>;

/** What /readyz answers. */
export interface ReadinessReport {
  /** May traffic come? True when started, not draining and no required check fails. */
  readonly ready: boolean;
  readonly phase: 'starting' | 'started' | 'draining';
  /** Every check in the order of registration; `code` of the error, or `timeout`. Never a message: those hold addresses. */
  readonly checks: readonly {
    readonly name: string;
    /** Whether it decides: the service can do nothing without what it checks. */
    readonly required: boolean;
    readonly ok: boolean;
    readonly code?: string;
  }[];
}

/** What readiness is made from. */
export interface ReadinessOptions {
  /** Milliseconds a check may take. */
  readonly timeoutMs?: number;
  /** Milliseconds during which a result is reused, however often it is asked for. */
  readonly intervalMs?: number;
  /** Milliseconds since any fixed point. */
  readonly now?: () => number;
}

type Outcome = { readonly ok: true } | { readonly ok: false; readonly code: string };

interface Registered {
  readonly name: string;
  readonly check: ReadinessCheck;
  readonly required: boolean;
  /** A run that is not over, even if its result was given up. A check that hangs is not started again. */
  running: Promise<Outcome> | null;
}

const TIMEOUT_MS = 2_000;
const INTERVAL_MS = 1_000;

/** Whether a service may be sent traffic: where it is in its life, and whether what it needs can be reached. */
export class Readiness {
  readonly #timeoutMs: number;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #checks = new Set<Registered>();
  #phase: ReadinessReport['phase'] = 'starting';
  #latest: { readonly at: number; readonly checks: Promise<ReadinessReport['checks']> } | null = null;

  constructor({
    timeoutMs = TIMEOUT_MS,
    intervalMs = INTERVAL_MS,
    now = () => performance.now(),
  }: ReadinessOptions = {}) {
    this.#timeoutMs = timeoutMs;
    this.#intervalMs = intervalMs;
    this.#now = now;
  }

  /** Registers a check that decides; dispose what comes back to take it out again. */
  add(name: string, check: ReadinessCheck): Disposable {
    return this.#register({ name, check, required: true, running: null });
  }

  /** Registers a check of what only a part of the service needs: it is reported and does not decide. See `add`. */
  watch(name: string, check: ReadinessCheck): Disposable {
    return this.#register({ name, check, required: false, running: null });
  }

  /** Everything is open: from now on the checks decide. Has no effect once draining. */
  started(): void {
    if (this.#phase === 'starting') this.#phase = 'started';
  }

  /** Not ready any more, for good. */
  drain(): void {
    this.#phase = 'draining';
  }

  /** Runs the checks, side by side, unless they ran within the interval. Never rejects. */
  async report(): Promise<ReadinessReport> {
    const now = this.#now();
    if (this.#latest === null || now - this.#latest.at >= this.#intervalMs) {
      this.#latest = { at: now, checks: Promise.all([...this.#checks].map((registered) => this.#run(registered))) };
    }
    const checks = await this.#latest.checks;
    const isFit = checks.every(({ ok, required }) => ok || !required);
    return { ready: this.#phase === 'started' && isFit, phase: this.#phase, checks };
  }

  #register(registered: Registered): Disposable {
    this.#checks.add(registered);
    this.#latest = null;
    return { [Symbol.dispose]: () => this.#checks.delete(registered) };
  }

  async #run(registered: Registered): Promise<ReadinessReport['checks'][number]> {
    registered.running ??= outcomeOf(registered.check).finally(() => {
      registered.running = null;
    });
    const outcome = await within(registered.running, this.#timeoutMs);
    return { name: registered.name, required: registered.required, ...outcome };
  }
}

async function outcomeOf(check: ReadinessCheck): Promise<Outcome> {
  try {
    await check();
    return { ok: true };
  } catch (error) {
    return { ok: false, code: errorCode(error) };
  }
}

async function within(outcome: Promise<Outcome>, milliseconds: number): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const timer = setTimeout(resolve, milliseconds, { ok: false, code: 'timeout' });
  try {
    return await Promise.race([outcome, promise]);
  } finally {
    clearTimeout(timer);
  }
}
