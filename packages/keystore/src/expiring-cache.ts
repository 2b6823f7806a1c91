interface Entry<V> {
  readonly loadedAt: number;
  readonly value: Promise<V>;
  /** A load that is to take its place has begun. */
  isRenewed: boolean;
}

/** How much is kept, for how long, and what not. */
export interface ExpiringCacheOptions<V> {
  /** Values at most, those being loaded not counted. */
  readonly size: number;
  /** Milliseconds from the beginning of the load. */
  readonly ttlMs: number;
  /** Milliseconds since any fixed point. */
  readonly now: () => number;
  /** Values that are given but not kept; all are kept unless given. */
  readonly keeps?: (value: V) => boolean;
}

/**
 * Values by key, loaded when asked for, kept for a while and bounded: the least recently used goes first. Those who ask
 * at the same time share one load. What a load fails with is not kept, and pushes nothing out.
 *
 * A value that is asked for in the second half of its time is loaded anew meanwhile, so that nobody waits for what is in use all the
 * time, and a source that is away for a moment is not noticed.
 */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #options: ExpiringCacheOptions<V>;

  constructor(options: ExpiringCacheOptions<V>) {
    this.#options = options;
  }

  /**
   * The value of a key. One whose load began before the last {@link delete} of its key is given only to those who asked
   * before it.
   */
  get(key: string, load: () => Promise<V>): Promise<V> {
    const { now: clock, ttlMs } = this.#options;
    const now = clock();
    const known = this.#entries.get(key);
    if (known === undefined || now - known.loadedAt >= ttlMs) return this.#load(key, load, now);
    // A Map keeps the order of insertion, so the entry moves to the young end.
    this.#entries.delete(key);
    this.#entries.set(key, known);
    if (now - known.loadedAt >= ttlMs / 2 && !known.isRenewed) {
      known.isRenewed = true;
      void this.#renew(key, load, now, known);
    }
    return known.value;
  }

  async #load(key: string, load: () => Promise<V>, now: number): Promise<V> {
    const entry: Entry<V> = { loadedAt: now, value: load(), isRenewed: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    let keep = false;
    try {
      const value = await entry.value;
      keep = this.#keeps(value);
      return value;
    } finally {
      if (!keep && this.#entries.get(key) === entry) this.#entries.delete(key);
      this.#evict();
    }
  }

  /** Loads what takes the place of an entry, unless that is gone by then. Does not reject. */
  async #renew(key: string, load: () => Promise<V>, now: number, entry: Entry<V>): Promise<void> {
    try {
      const value = await load();
      if (this.#entries.get(key) !== entry) return;
      if (this.#keeps(value))
        this.#entries.set(key, { loadedAt: now, value: Promise.resolve(value), isRenewed: false });
      else this.#entries.delete(key);
    } catch {
      // The old value has its time still; who asks after that hears of what went wrong.
    }
  }

  #keeps(value: V): boolean {
    return this.#options.keeps?.(value) ?? true;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #evict(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.size) return;
      this.#entries.delete(oldest);
    }
  }
}
