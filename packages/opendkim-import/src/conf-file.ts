import { importLimits } from './limits.ts';
import type { Notes, Place } from './note.ts';

/** Answers the text of a file, or null when it cannot be read. */
export type ReadFile = (path: string) => string | null;

/** One option of opendkim.conf. */
export interface ConfOption extends Place {
  readonly name: string;
  /** Without blanks around it and without a comment; empty when there is none. */
  readonly value: string;
}

/** Reads files, up to a limit. */
export class SourceFiles {
  readonly #read: ReadFile;
  readonly #notes: Notes;
  #count = 0;

  constructor(read: ReadFile, notes: Notes) {
    this.#read = read;
    this.#notes = notes;
  }

  /** The lines of a file without comments and blanks around, empty ones left out; null, and a note, when it cannot be read. */
  lines(
    path: string,
    option: string,
    place: Place,
  ): readonly { readonly text: string; readonly line: number }[] | null {
    this.#count++;
    const text = this.#count > importLimits.maxFiles ? null : this.#read(path);
    if (text === null || text.length > importLimits.maxFileLength) {
      this.#notes.add('dropped', option, place, `${path} cannot be read, or is too large.`);
      return null;
    }
    return text.split('\n').flatMap((raw, index) => {
      const content = (raw.split('#', 1)[0] ?? '').trim();
      return content === '' ? [] : [{ text: content, line: index + 1 }];
    });
  }
}

/** The options of a configuration file and of those it includes, in order. */
export function readConf(file: string, files: SourceFiles, notes: Notes): readonly ConfOption[] {
  const options: ConfOption[] = [];
  const include = (path: string, depth: number, place: Place): void => {
    for (const { text, line } of files.lines(path, 'Include', place) ?? []) {
      const [, name = '', value = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
      const option = { file: path, line, name, value };
      if (name.toLowerCase() !== 'include') options.push(option);
      else if (depth < importLimits.maxIncludeDepth) include(value, depth + 1, option);
      else notes.add('dropped', name, option, 'Files are included at a depth of five at most.');
    }
  };
  include(file, 0, { file, line: 0 });
  return options;
}
