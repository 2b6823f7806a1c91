import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import { DatabaseUnavailableError, describeDatabaseError } from './errors.ts';
import { lockFolder } from './folder-lock.ts';
import type { FolderLock } from './folder-lock.ts';
import { CLOSE_TIMEOUT, CONNECT_TIMEOUT, MAX_CONNECTIONS, QUERY_TIMEOUT } from './limits.ts';
import { migrate } from './migrate.ts';
import { PgliteExchange } from './pglite-exchange.ts';
import { SCHEMA } from './schema.ts';
import type { Schema } from './schema.ts';
import { watchPool } from './watched-pool.ts';

/** How many connections, and how long to wait for one. */
export interface PoolLimits {
  /** Connections (PostgreSQL) or sessions (PGlite) at most; default 10. Each BullMQ worker keeps one to listen. */
  readonly maxConnections?: number;
  /** Milliseconds to wait for a connection; default 5,000. */
  readonly connectTimeout?: number;
  /** Milliseconds a statement may take on PostgreSQL; default 30,000. */
  readonly queryTimeout?: number;
}

/** Which database: a PostgreSQL server, PGlite in a data folder, or PGlite in memory (nothing is kept). */
export type DatabaseOptions = PoolLimits &
  (
    | { readonly url: string }
    | {
        /** The database lies in `database` inside it. Made with mode 0700 when it does not exist. */
        readonly folder: string;
        /** A lock on that folder that the caller holds already, and keeps when the database is closed. */
        readonly lock?: FolderLock;
      }
    | { readonly memory: true }
  );

/** The one database handle of a process. */
export interface Database {
  readonly kind: 'pglite' | 'postgresql';
  /** Typed queries on schema `zegel`. Loss of the database rejects with `DatabaseUnavailableError`. */
  readonly db: Kysely<Schema>;
  /**
   * The connections below `db`, with `search_path` set to `bullmq`, for BullMQ's PostgreSQL backend. Errors here are the
   * driver's own. It is ended by `close()`, not by its users.
   */
  readonly pool: Pool;
  /** Resolves when the database answers. @throws DatabaseUnavailableError */
  ping(): Promise<void>;
  /** Waits (at most 5 s) for connections in use, then closes everything. May be called again. */
  close(): Promise<void>;
}

/** Where BullMQ's unqualified names are found. The schema itself is BullMQ's to make. */
const SEARCH_PATH = 'bullmq';

/**
 * Opens the database and brings its schema up to date.
 *
 * PGlite runs inside this process, one instance a process; its folder is locked, since two processes on one folder lose
 * data. What was committed survives the death of the process, but PGlite does not sync to disk: a power cut may lose the
 * last writes or damage the database.
 *
 * @throws DatabaseUnavailableError when the server cannot be reached or the folder's database does not start.
 * @throws FolderInUseError, FolderUnusableError see `lockFolder`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const ground = 'url' in options ? openServer(options, options.url) : await openEmbedded(options);
  const { pool } = ground;
  // A connection that breaks rejects the query in flight, or the next one; as an event without a listener it would end
  // the process. The pool's listener covers idle connections only.
  pool.on('error', () => undefined);
  // BullMQ adds a listener to the pool for each queue and worker, and never takes it off.
  pool.setMaxListeners(0);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const root = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: watchPool(pool) }) });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= endPool(pool).then(() => ground.close()));
  try {
    await migrate(root);
  } catch (error) {
    await close();
    throw describeDatabaseError(error);
  }
  return {
    kind: ground.kind,
    db: root.withSchema(SCHEMA),
    pool,
    async ping() {
      await sql`select 1`.execute(root);
    },
    close,
  };
}

interface Ground {
  readonly kind: 'pglite' | 'postgresql';
  readonly pool: Pool;
  close(): Promise<void>;
}

function openServer(limits: PoolLimits, url: string): Ground {
  const pool = new Pool({
    connectionString: url,
    application_name: 'zegel',
    max: limits.maxConnections ?? MAX_CONNECTIONS,
    connectionTimeoutMillis: limits.connectTimeout ?? CONNECT_TIMEOUT,
    query_timeout: limits.queryTimeout ?? QUERY_TIMEOUT,
    keepAlive: true,
    // As a statement, because the URL may have start-up options of its own, which would take the place of ours.
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, which its types do not say
    onConnect: (client) => client.query(`set search_path to ${SEARCH_PATH}`),
  });
  return { kind: 'postgresql', pool, close: async () => undefined };
}

async function openEmbedded(
  options: PoolLimits & ({ readonly folder: string; readonly lock?: FolderLock } | { readonly memory: true }),
): Promise<Ground> {
  if ('memory' in options) return startPglite('memory://', options, async () => undefined);
  const lock = options.lock ?? (await lockFolder(options.folder));
  const release = async (): Promise<void> => {
    if (options.lock === undefined) await lock.release();
  };
  try {
    return await startPglite(join(lock.folder, 'database'), options, release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function startPglite(place: string, limits: PoolLimits, release: () => Promise<void>): Promise<Ground> {
  let pglite: PGlite;
  try {
    pglite = await PGlite.create(place);
    await pglite.exec(`set search_path to ${SEARCH_PATH}`);
  } catch (error) {
    throw new DatabaseUnavailableError(`the embedded database in ${place} does not start`, { cause: error });
  }
  const exchange = new PgliteExchange(pglite);
  const pool = new Pool({
    user: 'postgres',
    password: '',
    database: 'postgres',
    host: 'pglite',
    port: 5432,
    ssl: false,
    max: limits.maxConnections ?? MAX_CONNECTIONS,
    connectionTimeoutMillis: limits.connectTimeout ?? CONNECT_TIMEOUT,
    stream: () => exchange.open(),
  });
  const close = async (): Promise<void> => {
    try {
      await pglite.close();
    } finally {
      await release();
    }
  };
  return { kind: 'pglite', pool, close };
}

/** Ends a pool, without waiting for ever for a connection that somebody does not give back. */
async function endPool(pool: Pool): Promise<void> {
  const abort = new AbortController();
  const timeout = delay(CLOSE_TIMEOUT, undefined, { signal: abort.signal }).catch(() => undefined);
  await Promise.race([pool.end(), timeout]);
  abort.abort();
}
