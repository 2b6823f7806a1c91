/** ARC (RFC 8617): the chain of those who passed a message on, verified and extended. */
export { arcCodes } from './codes.ts';
export type { ArcCode, ArcResultWord } from './codes.ts';
export { SealingError } from './errors.ts';
export { arcLimits } from './limits.ts';
export type { ArcLimits } from './limits.ts';
export type { ArcCheck, ArcEvidence, ArcResult, ArcSetResult, ChainStatus } from './result.ts';
export { beginSealing, seal } from './seal.ts';
export type { ArcSealing, SealingOutcome, SealOptions, Unsealed } from './seal.ts';
export type { ArcTrust, TrustedDmarc } from './trust.ts';
export { beginChainVerification, verifyChain } from './verify.ts';
export type { ChainOptions, ChainVerification } from './verify.ts';
