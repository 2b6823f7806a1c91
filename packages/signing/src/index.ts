export { signingCodes } from './codes.ts';
export type { SigningCode } from './codes.ts';
export type { KeySource } from './key-source.ts';
export { beginSigning, sign } from './sign.ts';
export type {
  SignatureReport,
  Signing,
  SigningContext,
  SigningEvidence,
  SigningOptions,
  SigningResult,
} from './sign.ts';
export { authorOrAbove, withParents } from './signing-plan.ts';
export type { DomainSigning, SigningPlan, SigningTable } from './signing-plan.ts';
export { maySignAs } from './submitter.ts';
export type { Submitter } from './submitter.ts';
