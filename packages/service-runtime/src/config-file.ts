import { LineCounter, isAlias, isMap, isScalar, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { ConfigProblem, FilePosition } from './errors.ts';
import { configLimits } from './limits.ts';
import type { Setting } from './setting.ts';

/** A value of a file: as YAML reads it, and where it and its parts stand. */
export interface FileValue {
  readonly value: unknown;
  /** Where a part stands, by its path; where the whole value stands when there is no such part. */
  position(path: readonly PropertyKey[]): FilePosition;
}

/** A configuration file: its values by the key of their setting, and what is wrong with it already. */
export interface ConfigFile {
  readonly values: ReadonlyMap<string, FileValue>;
  readonly problems: readonly ConfigProblem[];
}

/** A text to read as a configuration file; `name` stands in errors. */
export interface ConfigText {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads YAML into the values of known settings. It never throws: a file that is no YAML, a key that is not known and a
 * section that is no mapping are problems with a position. A key without a value counts as absent.
 */
export function readConfigFile({ name, text }: ConfigText, settings: readonly Setting[]): ConfigFile {
  const lines = new LineCounter();
  const at = (offset: number): FilePosition => {
    const { line, col } = lines.linePos(offset);
    return { file: name, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const unreadable = (offset: number, reason: string): ConfigFile => ({
    values: new Map(),
    problems: [{ variable: null, key: null, at: at(offset), given: null, allowed: reason, fault: 'unreadable' }],
  });
  if (text.length > configLimits.maxFileBytes) {
    return unreadable(0, `the file is above the limit of ${configLimits.maxFileBytes} bytes`);
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) return unreadable(error.pos[0], `not YAML: ${firstLine(error.message)}`);
  try {
    return new Reader(document, settings, at).read();
  } catch (thrown) {
    // What the YAML library refuses beyond its errors: an alias without an anchor, too many aliases.
    return unreadable(0, `not YAML: ${firstLine(thrown instanceof Error ? thrown.message : String(thrown))}`);
  }
}

type ParsedDocument = Document.Parsed;

class Reader {
  readonly #document: ParsedDocument;
  readonly #byKey: ReadonlyMap<string, Setting>;
  readonly #sections: ReadonlySet<string>;
  readonly #at: (offset: number) => FilePosition;
  readonly #values = new Map<string, FileValue>();
  readonly #problems: ConfigProblem[] = [];

  constructor(document: ParsedDocument, settings: readonly Setting[], at: (offset: number) => FilePosition) {
    this.#document = document;
    this.#at = at;
    this.#byKey = new Map(settings.flatMap((setting) => (setting.key === null ? [] : [[setting.key, setting]])));
    this.#sections = new Set([...this.#byKey.keys()].flatMap(sectionsOf));
  }

  read(): ConfigFile {
    const { contents } = this.#document;
    if (contents !== null) this.#readSection('', contents);
    return { values: this.#values, problems: this.#problems };
  }

  #readSection(section: string, given: Node): void {
    const node = isAlias(given) ? given.resolve(this.#document) : given;
    if (node === undefined || (isScalar(node) && node.value === null)) return;
    if (!isMap(node)) {
      this.#problem(section === '' ? null : section, given, {
        allowed: section === '' ? 'settings by name' : `a mapping with ${this.#keysOf(section).join(', ')}`,
        fault: 'invalid',
      });
      return;
    }
    for (const pair of node.items) this.#readPair(section, pair, given);
  }

  #readPair(section: string, pair: Pair, parent: Node): void {
    const { key: keyNode, value } = pair;
    const name = isScalar(keyNode) ? String(keyNode.value) : '?';
    const key = section === '' ? name : `${section}.${name}`;
    const place = isNode(keyNode) ? keyNode : parent;
    if (this.#byKey.has(key)) {
      if (!isNode(value) || (isScalar(value) && value.value === null)) return;
      this.#values.set(key, this.#fileValue(value));
    } else if (this.#sections.has(key)) {
      if (isNode(value)) this.#readSection(key, value);
    } else {
      const known = this.#keysOf(section);
      const suggestion = closest(name, known);
      this.#problem(key, place, {
        allowed: known.join(', '),
        fault: 'unknown-key',
        ...(suggestion === null ? {} : { suggestion }),
      });
    }
  }

  #fileValue(node: Node): FileValue {
    const document = this.#document;
    const positionOf = (found: unknown): FilePosition =>
      this.#at((isNode(found) ? found.range?.[0] : undefined) ?? node.range?.[0] ?? 0);
    return {
      value: node.toJS(document),
      position(path) {
        let found: unknown = node;
        for (const step of path) {
          const inner = isAlias(found) ? found.resolve(document) : found;
          const next = isMap(inner) ? pairNode(inner.items, step) : childOf(inner, step);
          if (next === undefined) break;
          found = next;
        }
        return positionOf(found);
      },
    };
  }

  #keysOf(section: string): readonly string[] {
    const prefix = section === '' ? '' : `${section}.`;
    const below = [...this.#byKey.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
    return [...new Set(below.map((key) => key.split('.', 1)[0] ?? key))];
  }

  #problem(key: string | null, node: Node, rest: Pick<ConfigProblem, 'allowed' | 'fault' | 'suggestion'>): void {
    this.#problems.push({ variable: null, key, at: this.#at(node.range?.[0] ?? 0), given: null, ...rest });
  }
}

/** Sections that lead to a key: `a` and `a.b` for `a.b.c`. */
function sectionsOf(key: string): readonly string[] {
  const parts = key.split('.');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('.'));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value && 'toJS' in value;
}

/** The value of a key; the key itself when it has none, so that there is a position. */
function pairNode(items: readonly Pair[], key: PropertyKey): unknown {
  const pair = items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
  return pair === undefined ? undefined : (pair.value ?? pair.key);
}

function childOf(node: unknown, index: PropertyKey): unknown {
  if (typeof node !== 'object' || node === null || !('items' in node) || !Array.isArray(node.items)) return undefined;
  const items: readonly unknown[] = node.items;
  return typeof index === 'number' ? items[index] : undefined;
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? text).slice(0, configLimits.maxShownCharacters);
}

/** The closest of the known names, when two changes of a character lead to it; `null` when none is close. */
export function closest(name: string, known: readonly string[]): string | null {
  const lower = name.toLowerCase().replaceAll(/[-_]/g, '');
  const near = known
    .map((candidate) => ({ candidate, distance: distanceOf(lower, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= 2)
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}

/** Longer names are compared by nobody: the cost is quadratic. */
const maxComparedLength = 64;

/** How many insertions, deletions and replacements of a character lead from one text to the other (Levenshtein). */
function distanceOf(a: string, b: string): number {
  if (a.length > maxComparedLength) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_value, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
