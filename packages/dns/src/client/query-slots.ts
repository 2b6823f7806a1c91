/**
 * Bounds how many look-ups hold a socket at once; the others wait their turn, first come first served.
 */
export class QuerySlots {
  readonly #maxWaiting: number;
  #free: number;
  readonly #waiting = new Set<(granted: boolean) => void>();

  constructor(slots: number, maxWaiting: number) {
    this.#free = slots;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a slot, which must be released. False when too many wait already, or when the signal came first: there is
   * nothing to release then.
   */
  acquire(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(true);
    }
    if (this.#waiting.size >= this.#maxWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const grant = (granted: boolean): void => {
        this.#waiting.delete(grant);
        signal.removeEventListener('abort', onAbort);
        resolve(granted);
      };
      const onAbort = (): void => grant(false);
      this.#waiting.add(grant);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  release(): void {
    const next = this.#waiting.values().next();
    if (next.done === true) this.#free += 1;
    else next.value(true);
  }
}
