export { BodyDigests } from './body-digests.ts';
export type { BodyDigest } from './body-digests.ts';
export { dkimCodes } from './codes.ts';
export type { DkimCode, DkimResultWord } from './codes.ts';
export {
  SignedFieldsError,
  SigningIdentityError,
  SigningKeyError,
  SigningValidityError,
  UnsignableMessageError,
} from './errors.ts';
export { addSignatureField, signatureField, signedData, unsignedField } from './header-data.ts';
export type { SignatureField } from './header-data.ts';
export { lookUpKey } from './key-lookup.ts';
export type { KeyLookup } from './key-lookup.ts';
export { formatKeyRecord, formatZoneRecord, isSelector, keyRecordName, parseKeyRecord } from './key-record.ts';
export type { KeyRecord, KeyRecordOptions, ParsedKeyRecord } from './key-record.ts';
export { signatureHolds, usableKey } from './key-use.ts';
export type { UsableKey } from './key-use.ts';
export { dkimLimits } from './limits.ts';
export type { DkimLimits } from './limits.ts';
export type { DkimEvidence, DkimResult } from './result.ts';
export { beginSigning, signMessage } from './sign.ts';
export { identityWithin } from './identity.ts';
export type { DkimSigning, MadeSignature, SignatureRequest, SigningOutcome, SignOptions } from './sign.ts';
export { bareLineEnds, tooManyNames, unsignable } from './signable.ts';
export type { Unsignable, UnsignableFacts } from './signable.ts';
export { readCoverageTags, readSignerTags } from './signature.ts';
export type { CoverageTags, ReadTags, Signature, SignatureProblem, SignerTags } from './signature.ts';
export { coverage, defaultSignedFields, isSignableName } from './signed-fields.ts';
export type { SignedFieldSet } from './signed-fields.ts';
export { createSigningKey, generateKeyPair, signingAlgorithm } from './signing-key.ts';
export type { SigningAlgorithm, SigningKey } from './signing-key.ts';
export { parseTagList } from './tag-list.ts';
export type { Tag, TagList, Tags } from './tag-list.ts';
export {
  algorithmProblem,
  beginSignatureCheck,
  beginVerification,
  fieldText,
  timeProblem,
  verifyMessage,
} from './verify.ts';
export type { DkimVerification, ReadSignature, VerifyOptions } from './verify.ts';
