export { authenticationOptions } from './authentication.ts';
export {
  openConfiguredKeystore,
  openGround,
  openResolver,
  openWatchedDatabase,
  openWatchedResolver,
} from './ground.ts';
export type { Ground, GroundContext } from './ground.ts';
export { LoginMapError, RulesError } from './errors.ts';
export type { RulesErrorCode } from './errors.ts';
export { createHttpLoginMap } from './http-login-map.ts';
export type { HttpLoginMapOptions } from './http-login-map.ts';
export { readKeyFile } from './key-files.ts';
export { groundLimits } from './limits.ts';
export { loadMailRules, signingTable } from './mail-rules.ts';
export type { LoadedRules, RuleStore } from './mail-rules.ts';
