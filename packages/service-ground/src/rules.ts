// What a configuration says about mail, for a command that opens no database: without stores, queue and resolver.
export { findDoubts } from './doubts.ts';
export { LoginMapError, RulesError } from './errors.ts';
export type { RulesErrorCode } from './errors.ts';
export { readKeyFile } from './key-files.ts';
export { groundLimits } from './limits.ts';
export { loadMailRules, signingTable } from './mail-rules.ts';
export type { LoadedRules, RuleStore } from './mail-rules.ts';
