interface Entry<V> {
  readonly loadedAt: number;
  readonly value: Promise<V>;
  /** It is there, and no load that is to take its place has begun or failed. */
  isRenewable: boolean;
  /** What that load gives, for as long as it goes on. */
  renewal?: Entry<V> | undefined;
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
 * A value that is asked for in the second half of its time is loaded anew meanwhile, so that nobody waits for what is
 * in use all the time, and a source that is away for a moment is not noticed.
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
    const entry = this.#usable(key, now);
    if (entry === undefined) {
      const loaded: Entry<V> = { loadedAt: now, value: load(), isRenewable: false };
      this.#setYoungest(key, loaded);
      return this.#settle(key, loaded);
    }
    this.#setYoungest(key, entry);
    if (now - entry.loadedAt >= this.#options.ttlMs / 2 && entry.isRenewable) {
      entry.isRenewable = false;
      entry.renewal = { loadedAt: now, value: load(), isRenewable: false };
      // The old value has its time still; who asks after that hears of what went wrong.
      this.#settle(key, entry.renewal, entry).catch(() => {});
    }
    return entry.value;
  }

  /** What is known of a key and not too old; when it is too old, what is being loaded in its place. */
  #usable(key: string, now: number): Entry<V> | undefined {
    const tooOld = now - this.#options.ttlMs;
    let entry = this.#entries.get(key);
    while (entry !== undefined && entry.loadedAt <= tooOld) entry = entry.renewal;
    return entry;
  }

  /** Waits for a value and keeps it, in the place of another when it renews that, or takes it away. */
  async #settle(key: string, entry: Entry<V>, renewed?: Entry<V>): Promise<V> {
    const isCurrent = (): boolean => this.#entries.get(key) === entry;
    try {
      const value = await entry.value;
      entry.isRenewable = true;
      if (renewed !== undefined && this.#entries.get(key) === renewed) this.#entries.set(key, entry);
      if (isCurrent() && !(this.#options.keeps?.(value) ?? true)) this.#entries.delete(key);
      return value;
    } catch (error) {
      if (isCurrent()) this.#entries.delete(key);
      throw error;
    } finally {
      if (renewed !== undefined) renewed.renewal = undefined;
      this.#evict();
    }
  }

  /** A Map keeps the order of insertion. */
  #setYoungest(key: string, entry: Entry<V>): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
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
