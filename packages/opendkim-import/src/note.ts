import { importLimits } from './limits.ts';

/** Where something stands in the files of OpenDKIM. */
export interface Place {
  readonly file: string;
  /** From 1; 0 for a default, which stands nowhere. */
  readonly line: number;
}

/** Something that could not be carried over as it was. */
export interface ImportNote extends Place {
  /** The option, in the spelling of the file. */
  readonly option: string;
  /** `changed`: carried over, and it does something else; `dropped`: left out. */
  readonly kind: 'changed' | 'dropped';
  /** What is the matter, and what can be done. */
  readonly text: string;
}

/** Collects notes, up to a limit. */
export class Notes {
  readonly #notes: ImportNote[] = [];

  get all(): readonly ImportNote[] {
    return this.#notes;
  }

  add(kind: ImportNote['kind'], option: string, { file, line }: Place, text: string): void {
    if (this.#notes.length < importLimits.maxNotes) this.#notes.push({ file, line, option, kind, text });
  }
}
