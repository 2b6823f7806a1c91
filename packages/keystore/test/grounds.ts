import { openDatabase } from '@zegel/database';
import type { Database } from '@zegel/database';
import { startPostgres } from '@zegel/test-harness';

/** A fresh database, and a second handle on it as another process would have. */
export interface Ground extends AsyncDisposable {
  readonly database: Database;
  readonly other: Database;
}

/** The databases every case runs on. PGlite allows one handle, so "another process" is another keystore on it. */
export const grounds: readonly (readonly [string, () => Promise<Ground>])[] = [
  [
    'PGlite',
    async () => {
      const database = await openDatabase({ memory: true });
      return { database, other: database, [Symbol.asyncDispose]: () => database.close() };
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const server = await startPostgres();
      const url = await server.createDatabase('keystore');
      const database = await openDatabase({ url });
      const other = await openDatabase({ url });
      return {
        database,
        other,
        async [Symbol.asyncDispose]() {
          await database.close();
          await other.close();
          await server.stop();
        },
      };
    },
  ],
];
