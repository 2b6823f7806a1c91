import type { DnsAnswer, RecordType } from '../resolver.ts';

interface Entry<T extends RecordType> {
  readonly name: string;
  readonly type: T;
  readonly answer: DnsAnswer<T>;
  /** Milliseconds of the clock. */
  readonly storedAt: number;
  readonly expiresAt: number;
  /** Of memory, as reckoned by who brought it. */
  readonly octets: number;
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
  readonly #maxOctets: number;
  readonly #now: () => number;
  /** By type, then by name: a key of both would have to be put together and hashed for each hit. */
  readonly #entries = new Map<RecordType, Map<string, Entry<RecordType>>>();
  /** All of them: a Set keeps the order of insertion. */
  readonly #inOrder = new Set<Entry<RecordType>>();
  #octets = 0;

  /** @param maxOctets of memory, for all answers together */
  constructor(maxEntries: number, maxOctets: number, now: () => number) {
    this.#maxEntries = maxEntries;
    this.#maxOctets = maxOctets;
    this.#now = now;
  }

  get size(): number {
    return this.#inOrder.size;
  }

  /** `name` is normalized. */
  get<T extends RecordType>(name: string, type: T): DnsAnswer<T> | null {
    const entry = this.#entries.get(type)?.get(name);
    if (entry === undefined || !isOfType(entry, type)) return null;
    const now = this.#now();
    if (now >= entry.expiresAt) {
      this.#delete(entry);
      return null;
    }
    entry.used = true;
    if (entry.answer.status === 'temporary-failure') return entry.answer;
    const age = Math.floor((now - entry.storedAt) / 1000);
    return age <= 0 ? entry.answer : { ...entry.answer, ttl: Math.max(0, entry.answer.ttl - age) };
  }

  /** Keeps the answer, which takes so many octets of memory, for `lifetime` seconds. */
  set<T extends RecordType>(name: string, type: T, answer: DnsAnswer<T>, octets: number, lifetime: number): void {
    if (lifetime <= 0 || this.#maxEntries <= 0 || octets > this.#maxOctets) return;
    const now = this.#now();
    const ofType = this.#ofType(type);
    const former = ofType.get(name);
    if (former !== undefined) this.#delete(former);
    this.#octets += octets;
    while (this.#inOrder.size >= this.#maxEntries || this.#octets > this.#maxOctets) this.#makeRoom();
    const own = copied(name);
    const entry = { name: own, type, answer, storedAt: now, expiresAt: now + lifetime * 1000, octets, used: false };
    ofType.set(own, entry);
    this.#inOrder.add(entry);
  }

  #ofType(type: RecordType): Map<string, Entry<RecordType>> {
    const known = this.#entries.get(type);
    if (known !== undefined) return known;
    const made = new Map<string, Entry<RecordType>>();
    this.#entries.set(type, made);
    return made;
  }

  #delete(entry: Entry<RecordType>): void {
    this.#octets -= entry.octets;
    this.#inOrder.delete(entry);
    this.#entries.get(entry.type)?.delete(entry.name);
  }

  /** Each step past a used entry was paid for by the hit that marked it. Ends: a second time round no entry is marked. */
  #makeRoom(): void {
    for (const entry of this.#inOrder) {
      if (!entry.used) return this.#delete(entry);
      entry.used = false;
      this.#inOrder.delete(entry);
      this.#inOrder.add(entry);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#inOrder.clear();
    this.#octets = 0;
  }
}

/**
 * The text in memory of its own: a name cut out of a record or a header field would keep all of that text for as long
 * as it is kept.
 */
function copied(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1');
}

function isOfType<T extends RecordType>(entry: Entry<RecordType>, type: T): entry is Entry<T> {
  return entry.type === type;
}
