// The configuration alone, for a command that starts no service: without logs, metrics and health.
export { configFileVariable, parseConfig, readConfig } from './config.ts';
export type { AdminTokenSource, Config, MasterKeySource } from './config.ts';
export type { Environment } from './given-values.ts';
export { listSettings } from './schema.ts';
export type { ConfigText } from './config-file.ts';
export { ConfigError, describeProblem, errorCode } from './errors.ts';
export type { ConfigProblem, FilePosition } from './errors.ts';
export { configLimits } from './limits.ts';
export { parseLoginMap } from './login-map-file.ts';
export { parseMilterAddress } from './milter-settings.ts';
export type { MilterAddress } from './milter-settings.ts';
export { isExposed } from './secret-file.ts';
export type { KeyFile } from './setting-values.ts';
export { authorEntries } from './submitter-settings.ts';
export type { LoginSource } from './submitter-settings.ts';
export { isAuthservId } from './service-settings.ts';
export type { Setting } from './setting.ts';
