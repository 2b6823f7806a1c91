export {
  DatabaseUnavailableError,
  FolderInUseError,
  FolderUnusableError,
  describeDatabaseError,
  isDatabaseLost,
} from './errors.ts';
export { lockFolder } from './folder-lock.ts';
export type { FolderLock } from './folder-lock.ts';
export { openDatabase } from './open.ts';
export type { Database, DatabaseOptions, PoolLimits } from './open.ts';
export { SCHEMA } from './schema.ts';
export type {
  DomainsTable,
  InboundState,
  InboundTable,
  KeysTable,
  KeyState,
  Schema,
  SettingsTable,
  TokensTable,
} from './schema.ts';
