import type { HeaderEdits } from '../src/index.ts';

/**
 * The header as an MTA holds it for a milter: name and value pairs, changed by the replies CHGHEADER (the `index`-th
 * field of a name, counted from 1; an empty value deletes it) and INSHEADER (at a place, 0 being the top).
 */
export class MilterHeader {
  readonly #fields: (readonly [name: string, value: string])[];

  constructor(fields: readonly (readonly [name: string, value: string])[]) {
    this.#fields = [...fields];
  }

  /** As the milter door renders edits: removals from the highest index down, then insertions from the last to the first. */
  render({ remove, prepend }: HeaderEdits): void {
    const removals = new Map(remove.map((removal) => [`${removal.name.toLowerCase()} ${removal.occurrence}`, removal]));
    for (const { name, occurrence } of [...removals.values()].toSorted((a, b) => b.occurrence - a.occurrence)) {
      this.#changeHeader(name, occurrence);
    }
    for (const bytes of prepend.toReversed()) {
      const text = Buffer.from(bytes).toString('latin1');
      const colon = text.indexOf(':');
      this.#insertHeader(text.slice(0, colon), text.slice(colon + 1, -2));
    }
  }

  text(): string {
    return this.#fields.map(([name, value]) => `${name}:${value}\r\n`).join('');
  }

  #changeHeader(name: string, index: number): void {
    let seen = 0;
    const place = this.#fields.findIndex(([other]) => other.toLowerCase() === name.toLowerCase() && ++seen === index);
    if (place !== -1) this.#fields.splice(place, 1);
  }

  #insertHeader(name: string, value: string): void {
    this.#fields.unshift([name, value]);
  }
}
