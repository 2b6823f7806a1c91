interface Entry<V> {
  readonly loadedAt: number;
  readonly value: Promise<V>;
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
    const now = this.#options.now();
    const known = this.#entries.get(key);
    if (known !== undefined && now - known.loadedAt < this.#options.ttlMs) {
      // A Map keeps the order of insertion, so the entry moves to the young end.
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    return this.#load(key, load, now);
  }

  async #load(key: string, load: () => Promise<V>, now: number): Promise<V> {
    const entry: Entry<V> = { loadedAt: now, value: load() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    let keep = false;
    try {
      const value = await entry.value;
      keep = this.#options.keeps?.(value) ?? true;
      return value;
    } finally {
      if (!keep && this.#entries.get(key) === entry) this.#entries.delete(key);
      this.#evict();
    }
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
