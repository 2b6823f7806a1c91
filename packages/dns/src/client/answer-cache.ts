import type { DnsAnswer, RecordType } from '../resolver.ts';

interface Entry<T extends RecordType> {
  readonly type: T;
  readonly answer: DnsAnswer<T>;
  /** Milliseconds of the clock. */
  readonly storedAt: number;
  readonly expiresAt: number;
  /** Whether it was asked for since the search for room last came by. */
  used: boolean;
}

/**
 * Answers by name and type. When it is full, what was not used for the longest time goes first, as the second-chance
 * algorithm tells it: a hit only sets a mark. (To insert the entry anew at each hit, the usual way with a Map, makes a hot
 * key slow: V8 leaves the deleted entries in its bucket until the table is rebuilt.)
 *
 * The TTL of an answer that comes out has run down by the time it was here; it may come out with a TTL of 0, since short ones are
 * kept a little longer.
 */
export class AnswerCache {
  readonly #maxEntries: number;
  readonly #now: () => number;
  /** A Map keeps the order of insertion. */
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
    const now = this.#now();
    if (now >= entry.expiresAt) {
      this.#entries.delete(key);
      return null;
    }
    entry.used = true;
    if (entry.answer.status === 'temporary-failure') return entry.answer;
    const age = Math.floor((now - entry.storedAt) / 1000);
    return age <= 0 ? entry.answer : { ...entry.answer, ttl: Math.max(0, entry.answer.ttl - age) };
  }

  /** Keeps the answer for `lifetime` seconds. */
  set<T extends RecordType>(key: string, type: T, answer: DnsAnswer<T>, lifetime: number): void {
    if (lifetime <= 0 || this.#maxEntries <= 0) return;
    const now = this.#now();
    this.#entries.delete(key);
    if (this.#entries.size >= this.#maxEntries) this.#makeRoom();
    this.#entries.set(key, { type, answer, storedAt: now, expiresAt: now + lifetime * 1000, used: false });
  }

  /** Each step past a used entry was paid for by the hit that marked it. Ends: a second time round no entry is marked. */
  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      if (!entry.used) return;
      entry.used = false;
      this.#entries.set(key, entry);
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}

function isOfType<T extends RecordType>(entry: Entry<RecordType>, type: T): entry is Entry<T> {
  return entry.type === type;
}
