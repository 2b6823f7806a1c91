import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { describeDatabaseError, isDatabaseLost } from './errors.ts';

/** A pooled connection that reports loss as `DatabaseUnavailableError` and does not go back to the pool after one. */
class WatchedClient implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  #lost = false;

  constructor(client: PostgresPoolClient) {
    this.#client = client;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    statement: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement !== 'string') return this.#client.query(statement);
    return this.#client.query<R>(statement, parameters).catch((error: unknown) => {
      if (isDatabaseLost(error)) this.#lost = true;
      throw describeDatabaseError(error);
    });
  }

  release(destroy?: boolean): void {
    this.#client.release(this.#lost || destroy === true);
  }
}

/** The pool as Kysely uses it, with errors described. Ending it leaves the pool open: it is shared with BullMQ. */
export function watchPool(pool: PostgresPool): PostgresPool {
  return {
    options: pool.options,
    async connect() {
      try {
        return new WatchedClient(await pool.connect());
      } catch (error) {
        throw describeDatabaseError(error);
      }
    },
    async end() {},
  };
}
