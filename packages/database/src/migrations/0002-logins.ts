import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which authors a login may sign as. */
export const logins: Migration = {
  async up(db) {
    await sql`create table zegel.logins (
      login text primary key,
      authors text[] not null,
      created_at timestamptz not null default now(),
      changed_at timestamptz not null default now()
    )`.execute(db);
  },
};
