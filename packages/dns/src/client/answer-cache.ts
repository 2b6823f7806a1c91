import type { DnsAnswer, RecordType } from '../resolver.ts';

interface Entry<T extends RecordType> {
  readonly type: T;
  readonly answer: DnsAnswer<T>;
  /** Milliseconds of the clock. */
  readonly storedAt: number;
  readonly expiresAt: number;
}

/**
 * Answers by name and type, the least recently used one dropped when full. The TTL of an answer that comes
 * out has run down by the time it was here; it may come out with a TTL of 0, since short ones are kept a little longer.
 */
export class AnswerCache {
  readonly #maxEntries: number;
  readonly #now: () => number;
  /** Oldest use first: a Map keeps the order of insertion, and every hit is inserted anew. */
  readonly #entries = new Map<string, Entry<RecordType>>();

  constructor(maxEntries: number, now: () => number) {
    this.#maxEntries = maxEntries;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get<T extends RecordType>(key: string, type: T): DnsAnswer<T> | null {
    const entry = this.#entries.get(key);
    if (entry === undefined || !isOfType(entry, type)) return null;
    this.#entries.delete(key);
    const now = this.#now();
    if (now >= entry.expiresAt) return null;
    this.#entries.set(key, entry);
    if (entry.answer.status === 'temporary-failure') return entry.answer;
    const age = Math.floor((now - entry.storedAt) / 1000);
    return age <= 0 ? entry.answer : { ...entry.answer, ttl: Math.max(0, entry.answer.ttl - age) };
  }

  /** Keeps the answer for `lifetime` seconds. */
  set<T extends RecordType>(key: string, type: T, answer: DnsAnswer<T>, lifetime: number): void {
    if (lifetime <= 0 || this.#maxEntries <= 0) return;
    const now = this.#now();
    this.#entries.delete(key);
    if (this.#entries.size >= this.#maxEntries) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { type, answer, storedAt: now, expiresAt: now + lifetime * 1000 });
  }

  clear(): void {
    this.#entries.clear();
  }
}

function isOfType<T extends RecordType>(entry: Entry<RecordType>, type: T): entry is Entry<T> {
  return entry.type === type;
}
