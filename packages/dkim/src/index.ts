export { BodyDigests } from './body-digests.ts';
export type { BodyDigest } from './body-digests.ts';
export { dkimCodes } from './codes.ts';
export type { DkimCode, DkimResultWord } from './codes.ts';
export { SigningKeyError, UnsignableMessageError } from './errors.ts';
export {
  formatKeyRecord,
  formatZoneRecord,
  isSelector,
  keyRecordName,
  parseKeyRecord,
} from './key-record.ts';
export type { KeyRecord, KeyRecordOptions, ParsedKeyRecord } from './key-record.ts';
export { dkimLimits } from './limits.ts';
export type { DkimLimits } from './limits.ts';
export type { DkimEvidence, DkimResult } from './result.ts';
export { beginSigning, signMessage } from './sign.ts';
export type { DkimSigning, MadeSignature, SigningOutcome, SignOptions } from './sign.ts';
export type { Unsignable } from './signable.ts';
export { defaultSignedFields, singletonFields } from './signed-fields.ts';
export type { SignedFieldSet } from './signed-fields.ts';
export { createSigningKey, generateKeyPair, signingAlgorithm } from './signing-key.ts';
export type { SigningAlgorithm, SigningKey } from './signing-key.ts';
export { beginVerification, verifyMessage } from './verify.ts';
export type { DkimVerification, VerifyOptions } from './verify.ts';
