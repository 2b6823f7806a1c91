/** The time a check has: its own limit and the caller's signal, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Settles when the time is up; never, when the check ends before. */
  readonly passed: Promise<void>;
  /** Lets go of timer and signal. */
  end(): void;
}

/** Starts the clock: `duration` in milliseconds. */
export function startDeadline(duration: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  const pass = (): void => {
    controller.abort();
    resolve();
  };
  const timer = setTimeout(pass, duration);
  if (outer?.aborted === true) pass();
  outer?.addEventListener('abort', pass, { once: true });
  return {
    signal: controller.signal,
    passed,
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', pass);
    },
  };
}
