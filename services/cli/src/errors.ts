/** The command was called in a way that makes no sense: exit status 1, and a line that says what is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'cli.usage';
}

/** What the exit status of a command says. */
export const exitStatus = {
  /** The command did its work; a `fail` verdict is work done. */
  done: 0,
  /** A bad call, or a message that is not signed. */
  badCall: 1,
  /** Something it needs is not there. */
  lostInfrastructure: 2,
  /** What `--exit-on` named came up. */
  exitOn: 3,
} as const;
