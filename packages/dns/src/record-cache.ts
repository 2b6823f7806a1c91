import { MAX_CACHED_RECORD, MAX_CACHED_RECORD_CHARACTERS } from './limits.ts';

/**
 * What was read from the texts of records, by text: mail of a day names the same few records over and over. Never wrong,
 * since the same text reads the same; bounded, since texts come from strangers.
 *
 * Two generations: what is asked for again moves into the young one; when that is full, what stayed in the old one goes.
 */
export class RecordCache<Reading> {
  readonly #read: (text: string) => Reading;
  readonly #maxCharacters: number;
  #young = new Map<string, Reading>();
  #old = new Map<string, Reading>();
  #characters = 0;

  /** @param maxCharacters of the texts of one generation; a text of more than 2,048 is read each time */
  constructor(read: (text: string) => Reading, maxCharacters: number = MAX_CACHED_RECORD_CHARACTERS) {
    this.#read = read;
    this.#maxCharacters = maxCharacters;
  }

  /** The reading of a text. Shared by all who ask: not to be changed. */
  read(text: string): Reading {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const reading = this.#old.get(text) ?? this.#read(text);
    if (text.length <= MAX_CACHED_RECORD) this.#keep(text, reading);
    return reading;
  }

  #keep(text: string, reading: Reading): void {
    this.#characters += text.length;
    if (this.#characters > this.#maxCharacters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = text.length;
    }
    this.#young.set(text, reading);
  }
}
