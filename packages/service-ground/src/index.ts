export { authenticationOptions } from './authentication.ts';
export {
  openConfiguredKeystore,
  openGround,
  openResolver,
  openWatchedDatabase,
  openWatchedResolver,
} from './ground.ts';
export type { Ground, GroundContext } from './ground.ts';
export { createHttpLoginMap } from './http-login-map.ts';
export type { HttpLoginMapOptions } from './http-login-map.ts';
export { openMailRules, reloadAtHangup } from './live-rules.ts';
export type { LiveRules, OpenedRules, RulesGround } from './live-rules.ts';
export * from './rules.ts';
