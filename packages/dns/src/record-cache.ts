import { MAX_CACHED_RECORD, MAX_CACHED_RECORD_CHARACTERS } from './limits.ts';

/** What was read in one generation. */
interface Generation<Reading> {
  /**
   * By the record itself, as an answer that is kept by a resolver brings it again and again: nothing to decode, nothing
   * to hash.
   */
  readonly byRecord: WeakMap<Uint8Array, Reading>;
  readonly byText: Map<string, Reading>;
}

/**
 * What was read from records: mail of a day names the same few over and over. Never wrong, since the same text reads the
 * same and nobody changes the octets of an answer; bounded, since texts come from strangers.
 *
 * Two generations: what is asked for again moves into the young one; when that is full, what stayed in the old one goes.
 */
export class RecordCache<Reading extends object> {
  readonly #read: (text: string) => Reading;
  readonly #maxCharacters: number;
  #young: Generation<Reading> = emptyGeneration();
  #old: Generation<Reading> = emptyGeneration();
  #characters = 0;

  /**
   * @param read given the record as text, one character per octet
   * @param maxCharacters of the texts of one generation; a text of more than 2,048 is read each time
   */
  constructor(read: (text: string) => Reading, maxCharacters: number = MAX_CACHED_RECORD_CHARACTERS) {
    this.#read = read;
    this.#maxCharacters = maxCharacters;
  }

  /** The reading of a TXT record. Shared by all who ask: not to be changed. */
  read(record: Uint8Array): Reading {
    return this.#young.byRecord.get(record) ?? this.#readText(record);
  }

  #readText(record: Uint8Array): Reading {
    const text = Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString('latin1');
    if (text.length > MAX_CACHED_RECORD) return this.#read(text);
    const known = this.#young.byText.get(text);
    const reading = known ?? this.#old.byText.get(text) ?? this.#read(text);
    if (known === undefined) this.#keep(text, reading);
    this.#young.byRecord.set(record, reading);
    return reading;
  }

  #keep(text: string, reading: Reading): void {
    this.#characters += text.length;
    if (this.#characters > this.#maxCharacters) {
      this.#old = this.#young;
      this.#young = emptyGeneration();
      this.#characters = text.length;
    }
    this.#young.byText.set(text, reading);
  }
}

function emptyGeneration<Reading>(): Generation<Reading> {
  return { byRecord: new WeakMap(), byText: new Map() };
}
