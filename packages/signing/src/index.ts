export type { KeySource } from './key-source.ts';
