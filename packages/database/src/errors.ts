/**
 * The database cannot be reached or has stopped working: the connection is refused, lost or timed out, the server
 * shuts down, starts up, has gone read-only, or is out of disk or memory. The request may be repeated later; a service
 * answers 503. What the driver said is the `cause`.
 */
export class DatabaseUnavailableError extends Error {
  readonly code = 'database.unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseUnavailableError';
  }
}

/** Another process (or this one, already) has the data folder open. */
export class FolderInUseError extends Error {
  readonly code = 'database.folder-in-use';
  readonly folder: string;
  /** The process that holds the folder; null when it did not say. */
  readonly pid: number | null;

  constructor(folder: string, pid: number | null) {
    super(`the data folder ${folder} is in use by ${pid === null ? 'another process' : `process ${pid}`}`);
    this.name = 'FolderInUseError';
    this.folder = folder;
    this.pid = pid;
  }
}

/** The data folder cannot be made, written to or locked. The `cause` is what the file system said. */
export class FolderUnusableError extends Error {
  readonly code = 'database.folder-unusable';
  readonly folder: string;

  constructor(folder: string, reason: string, options?: ErrorOptions) {
    super(`the data folder ${folder} cannot be used: ${reason}`, options);
    this.name = 'FolderUnusableError';
    this.folder = folder;
  }
}

/**
 * SQLSTATE classes and codes that mean lost infrastructure: 08 connection exception, 53 insufficient resources,
 * 57P operator intervention (shutdown, crash, start-up), 58 system error; 25006 is a write to a server that has become a
 * standby, 25P03 a session closed for idling in a transaction, XX a broken server.
 */
const LOST = /^(?:08|53|57P|58|XX|25006$|25P03$)/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * Whether an error from the database driver means that the database is lost, rather than that the statement was
 * wrong. The driver's own errors (no SQLSTATE) are all about connections, except mistakes of the program (TypeError).
 */
export function isDatabaseLost(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return false;
  // System errors have a code too (EPIPE is five capitals like an SQLSTATE), but also a system call.
  if ('code' in error && typeof error.code === 'string' && SQLSTATE.test(error.code) && !('syscall' in error)) {
    return LOST.test(error.code);
  }
  return true;
}

/** The error as a `DatabaseUnavailableError` when it means that, else the error itself. */
export function describeDatabaseError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError || !isDatabaseLost(error)) return error;
  const reason = error instanceof Error && error.message !== '' ? error.message : 'the connection failed';
  return new DatabaseUnavailableError(`the database is unavailable: ${reason}`, { cause: error });
}
