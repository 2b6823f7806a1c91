export { openConfiguredKeystore, openGround, openResolver } from './ground.ts';
export type { Ground } from './ground.ts';
