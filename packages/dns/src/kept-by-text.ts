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
    if (text.length > this.#maxLength) return this.#make(text);
    const own = copyOf(text);
    const made = this.#make(own);
    if (this.#kept.size >= maxKept) this.#kept.clear();
    this.#kept.set(own, made);
    return made;
  }
}

/** A text by itself: a part of another one would keep that as well, a field of 64 kB for a name of ten letters. */
function copyOf(text: string): string {
  const encoding = /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}

/** Texts kept at a time. */
const maxKept = 1_000;
