import type { Migration } from 'kysely/migration';
import { foundation } from './0001-foundation.ts';
import { logins } from './0002-logins.ts';

/** Every migration by its name; they run in the order of the names, each once, and are never edited after a release. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-foundation': foundation,
  '0002-logins': logins,
};
