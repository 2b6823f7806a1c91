/** One reason for all runs: without one, every abort builds an exception with a stack, and every run ends in an abort. */
const over = new DOMException('The run is over', 'AbortError');

/** The part of the time that the checks have, before DMARC weighs their verdicts in what is left. */
const checkingPart = 0.75;

/**
 * Ends all waiting for the DNS: some time after it was started, when the caller says so, or when the run is over.
 *
 * The checks that a sender's own name servers can hold up end earlier than the rest. DMARC asks some questions only when it
 * has their verdicts, and without time for them a forgery would come out as a temporary error.
 */
export class Deadline {
  readonly #checking = new AbortController();
  readonly #all = new AbortController();
  readonly #milliseconds: number;
  readonly #outer: AbortSignal | undefined;
  readonly #stopChecking = (): void => this.#checking.abort(over);
  readonly #stop = (): void => {
    this.#stopChecking();
    this.#all.abort(over);
  };
  #timers: readonly NodeJS.Timeout[] = [];
  #starting: NodeJS.Immediate | undefined;
  #isWaiting = false;

  constructor(milliseconds: number, outer: AbortSignal | undefined) {
    this.#milliseconds = milliseconds;
    this.#outer = outer;
    if (outer?.aborted === true) this.#stop();
    outer?.addEventListener('abort', this.#stop, { once: true });
  }

  /** For all that a message waits for. */
  get signal(): AbortSignal {
    return this.#all.signal;
  }

  /** For the checks whose verdicts others need. Never later than `signal`. */
  get checkingSignal(): AbortSignal {
    return this.#checking.signal;
  }

  /** Time runs from now. A run that has all its answers is over before the timers would be set, and goes without. */
  start(): void {
    this.#starting = setImmediate(() => {
      this.#isWaiting = true;
      this.#timers = [
        setTimeout(this.#stopChecking, this.#milliseconds * checkingPart),
        setTimeout(this.#stop, this.#milliseconds),
      ];
    });
  }

  /**
   * The run is over: whatever still waits for the DNS does so no longer. Telling nobody so costs more than a look-up of
   * what is known: a run that has all its answers (`isComplete`), and did not wait for any, leaves it.
   */
  end(isComplete = false): void {
    clearImmediate(this.#starting);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#outer?.removeEventListener('abort', this.#stop);
    if (this.#isWaiting || !isComplete) this.#stop();
  }
}
