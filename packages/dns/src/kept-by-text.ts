/**
 * What was made of a text, kept for the next time the same text comes: senders sign many messages alike. Bounded: when it is
 * full it begins anew, and longer texts are not kept.
 */
export class KeptByText<T> {
  readonly #make: (text: string) => T;
  readonly #maxLength: number;
  readonly #kept = new Map<string, T>();

  /**
   * @param make a pure function; what it makes is shared and must not be changed.
   * @param maxLength characters of a text that is kept.
   */
  constructor(make: (text: string) => T, maxLength: number) {
    this.#make = make;
    this.#maxLength = maxLength;
  }

  get(text: string): T {
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const made = this.#make(text);
    if (text.length > this.#maxLength) return made;
    if (this.#kept.size >= maxKept) this.#kept.clear();
    this.#kept.set(text, made);
    return made;
  }
}

/** Texts kept at a time. */
const maxKept = 1_000;
