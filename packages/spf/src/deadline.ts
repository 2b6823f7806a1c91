/**
 * The time a check has: its own limit and the caller's signal, whichever comes first. Nothing is set up until something
 * has to be waited for: most checks find all their answers known.
 */
export class Deadline {
  readonly #duration: number;
  readonly #begun = performance.now();
  readonly #outer: AbortSignal | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Those who wait for an answer, to be told when the time is up. */
  readonly #waiting = new Set<() => void>();
  readonly #pass = (): void => {
    this.#controller?.abort();
    // Behind what the resolver itself has to say about the signal.
    queueMicrotask(() => queueMicrotask(this.#giveUp));
  };
  readonly #giveUp = (): void => {
    for (const leave of this.#waiting) leave();
    this.#waiting.clear();
  };

  /** Starts the clock: `duration` in milliseconds. */
  constructor(duration: number, outer: AbortSignal | undefined) {
    this.#duration = duration;
    this.#outer = outer;
  }

  /** Comes when the time is up. */
  get signal(): AbortSignal {
    return (this.#controller ?? this.#arm()).signal;
  }

  /** Whether the time is up. */
  get passed(): boolean {
    return (this.#controller?.signal ?? this.#outer)?.aborted === true;
  }

  #arm(): AbortController {
    const controller = new AbortController();
    this.#controller = controller;
    this.#timer = setTimeout(this.#pass, Math.max(0, this.#begun + this.#duration - performance.now()));
    if (this.#outer?.aborted === true) this.#pass();
    this.#outer?.addEventListener('abort', this.#pass, { once: true });
    return controller;
  }

  /** What is waited for, or `late` when the time is up before it comes. */
  wait<T>(pending: Promise<T>, late: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => resolve(late);
      this.#waiting.add(giveUp);
      const leave = (): boolean => this.#waiting.delete(giveUp);
      pending.then(resolve, reject);
      pending.then(leave, leave);
    });
  }

  /** Lets go of timer and signal. */
  end(): void {
    if (this.#controller === undefined) return;
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#pass);
  }
}
