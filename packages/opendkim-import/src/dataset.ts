import type { ConfOption, SourceFiles } from './conf-file.ts';
import { importLimits } from './limits.ts';
import type { Notes, Place } from './note.ts';

/** One entry of a dataset: a member, or a key with its value. */
export interface DatasetEntry extends Place {
  readonly key: string;
  /** The fields of the value; empty for a member. */
  readonly values: readonly string[];
}

export interface Dataset {
  /** Whether keys are patterns in which `*` stands for any text (`refile:`). */
  readonly isPatterns: boolean;
  readonly entries: readonly DatasetEntry[];
}

const databases = ['db', 'dsn', 'ldap', 'lua', 'memcache', 'repute', 'erlang', 'mdb', 'bdb', 'socket', 'odbx'];

/**
 * Reads a dataset of opendkim(8): `file:`, `refile:`, a path, or a list with commas (`csl:`). Null, with a note, for a
 * database and for a file that cannot be read.
 */
export function readDataset(option: ConfOption, files: SourceFiles, notes: Notes): Dataset | null {
  const { name, value } = option;
  const [, prefix = '', rest = ''] = /^([a-z]+):(.*)$/i.exec(value) ?? [];
  const kind = prefix.toLowerCase();
  if (databases.includes(kind)) {
    notes.add(
      'dropped',
      name,
      option,
      `It is a database (${kind}:), which is not read here. Export it to a file and import that.`,
    );
    return null;
  }
  if (kind === 'file' || kind === 'refile') return readTable(option, rest, kind === 'refile', files, notes);
  if (/^\.{0,2}\//.test(value)) return readTable(option, value, false, files, notes);
  const list = kind === 'csl' ? rest : value;
  const entries = list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .slice(0, importLimits.maxEntries)
    .map((item): DatasetEntry => {
      const [, key = item, fields] = /^([^=]+)=(.*)$/.exec(item) ?? [];
      return {
        file: option.file,
        line: option.line,
        key: key.trim(),
        values: fields === undefined ? [] : fieldsOf(fields),
      };
    });
  return { isPatterns: false, entries };
}

function readTable(
  option: ConfOption,
  path: string,
  isPatterns: boolean,
  files: SourceFiles,
  notes: Notes,
): Dataset | null {
  const lines = files.lines(path.trim(), option.name, option);
  if (lines === null) return null;
  if (lines.length > importLimits.maxEntries) {
    notes.add(
      'dropped',
      option.name,
      { file: path, line: importLimits.maxEntries },
      `Only ${importLimits.maxEntries} entries are read.`,
    );
  }
  const entries = lines.slice(0, importLimits.maxEntries).map(({ text, line }): DatasetEntry => {
    const [, key = text, rest = ''] = /^(\S+)\s+(.*)$/.exec(text) ?? [];
    return { file: path.trim(), line, key, values: rest === '' ? [] : fieldsOf(rest) };
  });
  return { isPatterns, entries };
}

function fieldsOf(text: string): readonly string[] {
  return text.split(':').map((field) => field.trim());
}
