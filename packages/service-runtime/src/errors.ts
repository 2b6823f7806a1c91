/** A variable of the environment that cannot be used as it stands. */
export interface ConfigProblem {
  /** Name of the environment variable. */
  readonly variable: string;
  /** What was given; `null` when nothing was given or the variable is a secret. */
  readonly given: string | null;
  /** What is allowed, as a noun phrase. */
  readonly allowed: string;
}

/** The environment does not describe a service that can run. Lists every bad variable, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config.invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describe).join('; '));
    this.problems = problems;
  }
}

function describe({ variable, given, allowed }: ConfigProblem): string {
  return given === null
    ? `${variable} must be ${allowed}`
    : `${variable} is ${JSON.stringify(given)}, must be ${allowed}`;
}

/** The stable `code` of an error of ours, of Node (`ECONNREFUSED`) or of a driver; its class name when it has none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
  return error.name;
}
