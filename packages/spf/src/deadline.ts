/** The time a check has: its own limit and the caller's signal, whichever comes first. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Those who wait for an answer, to be told when the time is up. */
  readonly #waiting = new Set<() => void>();
  readonly #pass = (): void => {
    this.#controller.abort();
    // Behind what the resolver itself has to say about the signal.
    queueMicrotask(() => queueMicrotask(this.#giveUp));
  };
  readonly #giveUp = (): void => {
    for (const leave of this.#waiting) leave();
    this.#waiting.clear();
  };

  /** Starts the clock: `duration` in milliseconds. */
  constructor(duration: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#timer = setTimeout(this.#pass, duration);
    if (outer?.aborted === true) this.#pass();
    outer?.addEventListener('abort', this.#pass, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time is up. */
  get passed(): boolean {
    return this.#controller.signal.aborted;
  }

  /** What is waited for, or `late` when the time is up before it comes. */
  wait<T>(pending: Promise<T>, late: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => resolve(late);
      this.#waiting.add(leave);
      pending.then(
        (value) => {
          this.#waiting.delete(leave);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(leave);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- passed on as it came
          reject(error);
        },
      );
    });
  }

  /** Lets go of timer and signal. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#pass);
  }
}
