export type { SigningAlgorithm, SigningKey } from './signing-key.ts';
