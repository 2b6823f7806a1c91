/**
 * The time a check has: its own limit and the caller's signal, whichever comes first. Nothing is set up, and the clock does
 * not run, until something has to be waited for: most checks find all their answers known.
 */
export class Deadline {
  readonly #duration: number;
  readonly #outer: AbortSignal | undefined;
  #alarm: Alarm | undefined;

  /** @param duration milliseconds */
  constructor(duration: number, outer: AbortSignal | undefined) {
    this.#duration = duration;
    this.#outer = outer;
  }

  /** Comes when the time is up. The clock runs from the first time that somebody asks for it. */
  get signal(): AbortSignal {
    return this.#started().signal;
  }

  /** Whether the time is up. */
  get passed(): boolean {
    return (this.#alarm?.signal ?? this.#outer)?.aborted === true;
  }

  /** What is waited for, or `late` when the time is up before it comes. */
  wait<T>(pending: Promise<T>, late: T): Promise<T> {
    return this.#started().wait(pending, late);
  }

  /** Lets go of timer and signal. */
  end(): void {
    this.#alarm?.end();
  }

  #started(): Alarm {
    return (this.#alarm ??= new Alarm(this.#duration, this.#outer));
  }
}

class Alarm {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  /** Those who wait for an answer, to be told when the time is up. */
  readonly #waiting = new Set<() => void>();
  readonly #ring = (): void => {
    this.#controller.abort();
    // Behind what the resolver itself has to say about the signal.
    queueMicrotask(() => queueMicrotask(this.#giveUp));
  };
  readonly #giveUp = (): void => {
    for (const leave of this.#waiting) leave();
    this.#waiting.clear();
  };

  constructor(duration: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#timer = setTimeout(this.#ring, duration);
    if (outer?.aborted === true) this.#ring();
    outer?.addEventListener('abort', this.#ring, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  wait<T>(pending: Promise<T>, late: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => resolve(late);
      this.#waiting.add(giveUp);
      const leave = (): boolean => this.#waiting.delete(giveUp);
      pending.then(resolve, reject);
      pending.then(leave, leave);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#ring);
  }
}
