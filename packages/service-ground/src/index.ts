export { authenticationOptions } from './authentication.ts';
export { openConfiguredKeystore, openGround, openResolver } from './ground.ts';
export type { Ground } from './ground.ts';
