/** Connections one process opens to PostgreSQL, and sessions it opens on PGlite, unless told otherwise. */
export const MAX_CONNECTIONS = 10;

/** Milliseconds to wait for a connection (a new one, or a free one of the pool) before the database counts as lost. */
export const CONNECT_TIMEOUT = 5_000;

/** Milliseconds a statement may take on PostgreSQL before the database counts as lost. */
export const QUERY_TIMEOUT = 30_000;

/** Milliseconds `close()` waits for connections that somebody still holds. */
export const CLOSE_TIMEOUT = 5_000;

/**
 * Milliseconds a PGlite session may sit idle inside a transaction. The session has the database to itself that long,
 * so one that was forgotten would stop everybody; it is rolled back and closed (SQLSTATE 25P03).
 */
export const TRANSACTION_IDLE_LIMIT = 30_000;

/** Bytes of one statement with its parameters on PGlite (PostgreSQL itself ends at 1 GB). */
export const MAX_STATEMENT_BYTES = 64 * 1024 * 1024;

/** Bytes of a Unix socket path that every system takes (`sun_path` is 104 bytes on BSD and macOS, 108 on Linux). */
export const MAX_SOCKET_PATH = 100;

/** Milliseconds to wait for the holder of a folder to say its process id. */
export const HOLDER_ANSWER_TIMEOUT = 1_000;

/** Tries to take a folder while others start and stop on it. */
export const LOCK_ATTEMPTS = 20;
