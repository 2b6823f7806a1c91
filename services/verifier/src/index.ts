export { createProcessor } from './process-message.ts';
export type { VerifierOptions } from './process-message.ts';
export { startVerifier } from './start.ts';
export type { Verifier } from './start.ts';
