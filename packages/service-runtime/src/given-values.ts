import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { closest } from './config-file.ts';
import type { ConfigText, FileValue } from './config-file.ts';
import type { ConfigProblem } from './errors.ts';
import { keyIn, known, schema } from './schema.ts';
import type { Section } from './schema.ts';

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What file and environment give, and where each value comes from. */
export class GivenValues {
  readonly #env: Environment;
  readonly #file: ReadonlyMap<string, FileValue>;
  readonly #folder: string;

  constructor(env: Environment, values: ReadonlyMap<string, FileValue>, file: ConfigText | undefined) {
    this.#env = env;
    this.#file = values;
    this.#folder = file === undefined ? '' : dirname(resolve(file.name));
  }

  /** The input of a section's schema. */
  inputOf(section: Section): Readonly<Record<string, unknown>> {
    const entries = Object.keys(schema[section].shape).map((name) => [name, this.#input(keyIn(section, name))]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  /** A path of a value that may come from the file, whose folder it counts from then. */
  path(key: string, path: string): string {
    return this.#isFromFile(key) ? resolve(this.#folder, path) : resolve(path);
  }

  problemsOf(section: Section, issues: readonly z.core.$ZodIssue[]): readonly ConfigProblem[] {
    const problems = new Map<string, ConfigProblem>();
    for (const issue of issues) {
      const [name, ...inner] = issue.path;
      const key = keyIn(section, String(name));
      const { form } = known(key);
      for (const problem of form === 'yaml' ? this.#innerProblems(key, inner, issue) : [this.problem(key, inner)]) {
        problems.set(`${problem.key} ${problem.allowed}`, problem);
      }
    }
    return [...problems.values()];
  }

  /** That the value of a setting is wrong: as a whole, or the item of a list in the file. */
  problem(key: string, inner: readonly PropertyKey[] = []): ConfigProblem {
    const { setting } = known(key);
    const fileValue = this.#isFromFile(key) ? this.#file.get(key) : undefined;
    const item = partOf(fileValue?.value, inner);
    const input = inner.length > 0 && item !== undefined ? item : this.#input(key);
    return {
      variable: setting.variable,
      key: setting.key,
      at: fileValue?.position(inner) ?? null,
      given: input === undefined || setting.secret ? null : shown(input),
      allowed: setting.allowed,
      fault: 'invalid',
    };
  }

  #innerProblems(key: string, inner: readonly PropertyKey[], issue: z.core.$ZodIssue): readonly ConfigProblem[] {
    const { setting } = known(key);
    const fileValue = this.#isFromFile(key) ? this.#file.get(key) : undefined;
    const make = (path: readonly PropertyKey[]): Pick<ConfigProblem, 'variable' | 'key' | 'at'> => ({
      variable: setting.variable,
      key: key + path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join(''),
      at: fileValue?.position(path) ?? null,
    });
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => {
        const suggestion = closest(name, issue.message.split(', '));
        return {
          ...make([...inner, name]),
          given: null,
          allowed: issue.message,
          fault: 'unknown-key' as const,
          ...(suggestion === null ? {} : { suggestion }),
        };
      });
    }
    const value = partOf(this.#input(key), inner);
    const given = value === undefined || setting.secret ? null : shown(value);
    return [{ ...make(inner), given, allowed: issue.message, fault: 'invalid' }];
  }

  #isFromFile(key: string): boolean {
    return this.#fromEnvironment(key) === undefined && this.#file.has(key);
  }

  #fromEnvironment(key: string): string | undefined {
    const value = this.#env[known(key).setting.variable];
    return value === '' ? undefined : value;
  }

  #input(key: string): unknown {
    const { form, setting } = known(key);
    const text = this.#fromEnvironment(key);
    if (text !== undefined) return form === 'yaml' ? yamlValue(text) : text;
    const fromFile = setting.key === null ? undefined : this.#file.get(key)?.value;
    if (fromFile === undefined || form === 'yaml') return fromFile;
    const asText = textOfValue(fromFile);
    return form === 'path' && typeof asText === 'string' ? resolve(this.#folder, asText) : asText;
  }
}

/** A value of the file as its setting reads it: the text of a scalar, the items of a list joined by commas. */
function textOfValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.every((item) => isScalarValue(item)) ? items.map(String).join(',') : value;
  }
  return isScalarValue(value) ? String(value) : value;
}

function isScalarValue(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** A value of a variable that is written as YAML; the text itself when it is none, which then is what is wrong. */
function yamlValue(text: string): unknown {
  try {
    return parseYaml(text, { prettyErrors: false, logLevel: 'silent' });
  } catch {
    return text;
  }
}

function partOf(value: unknown, path: readonly PropertyKey[]): unknown {
  let part = value;
  for (const step of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, step)) return undefined;
    part = Object.entries(part).find(([name]) => name === String(step))?.[1];
  }
  return part;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
