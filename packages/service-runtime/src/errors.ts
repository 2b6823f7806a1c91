import { configLimits } from './limits.ts';

/** Where something stands in a configuration file. */
export interface FilePosition {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** A setting that cannot be used as it stands. */
export interface ConfigProblem {
  /** Name of the environment variable; `null` when there is none, such as for a key that is not known. */
  readonly variable: string | null;
  /** The key in the file, parts of a value included (`signing.rules[0].author`); `null` when the file as a whole is wrong. */
  readonly key: string | null;
  /** Where it stands in the file; `null` when it comes from the environment or is a default. */
  readonly at: FilePosition | null;
  /** What was given; `null` when nothing was given or the setting is a secret. */
  readonly given: string | null;
  /** What is allowed, as a noun phrase; for an unknown key the keys there are; for a file that is no YAML what is wrong. */
  readonly allowed: string;
  readonly fault: 'invalid' | 'unknown-key' | 'unreadable';
  /** The known key that is closest to an unknown one. */
  readonly suggestion?: string;
}

/** The configuration does not describe a service that can run. Lists every problem, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config.invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.slice(0, configLimits.maxProblems).map(describeProblem).join('; '));
    this.problems = problems;
  }
}

/** The line for a person: where, what was given, what is allowed. */
export function describeProblem({ variable, key, at, given, allowed, fault, suggestion }: ConfigProblem): string {
  const place = at === null ? '' : `${at.file}:${at.line}:${at.column}: `;
  // A file names the key; the environment names the variable, and the part of its value that is wrong.
  const name = (at === null ? inVariable(variable, key) : key) ?? 'the configuration';
  if (fault === 'unreadable') return `${place}${allowed}`;
  if (fault === 'unknown-key') {
    const hint = suggestion === undefined ? `known here: ${allowed}` : `did you mean ${suggestion}?`;
    return `${place}${name} is not known (${hint})`;
  }
  const shown = given === null ? null : JSON.stringify(given.slice(0, configLimits.maxShownCharacters));
  return shown === null ? `${place}${name} must be ${allowed}` : `${place}${name} is ${shown}, must be ${allowed}`;
}

function inVariable(variable: string | null, key: string | null): string | null {
  const inner = key === null ? '' : (/^[^[]*(\[.*)$/.exec(key)?.[1] ?? '');
  return variable === null ? key : `${variable}${inner}`;
}

/** The stable `code` of an error of ours, of Node (`ECONNREFUSED`) or of a driver; its class name when it has none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
  return error.name;
}
