import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations/index.ts';
import { SCHEMA } from './schema.ts';
import type { Schema } from './schema.ts';

/**
 * Brings schema `zegel` up to date, in one transaction. Several processes may start at once: one migrates, the others
 * wait. A database that a newer release has migrated is refused.
 */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableSchema: SCHEMA,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
