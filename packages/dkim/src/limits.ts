/** Limits on what a DKIM signature or key may ask of us. Each is an option; these are the defaults. */
export interface DkimLimits {
  /** Signatures verified in one message: aligned ones first, then from the top. */
  readonly maxSignatures: number;
  /** Bytes of one DKIM-Signature field. */
  readonly maxSignatureBytes: number;
  /** Names in one h= tag. */
  readonly maxSignedFields: number;
  /** Bytes of a key record. */
  readonly maxKeyRecordBytes: number;
  /** TXT records looked at below one key name. */
  readonly maxKeyRecords: number;
  /** Bits of an RSA modulus below which a signature counts for nothing (RFC 8301 §3.2). */
  readonly minRsaBits: number;
  /** Bits of an RSA modulus above which it is not checked: cost grows with the cube. */
  readonly maxRsaBits: number;
  /** Seconds a clock may differ before t= lies in the future or x= in the past. */
  readonly clockSkew: number;
}

export const dkimLimits: DkimLimits = {
  maxSignatures: 10,
  maxSignatureBytes: 64 * 1024,
  maxSignedFields: 100,
  maxKeyRecordBytes: 16 * 1024,
  maxKeyRecords: 10,
  minRsaBits: 1024,
  maxRsaBits: 4096,
  clockSkew: 300,
};

/** No option raises the modulus above this. */
export const hardMaxRsaBits = 8192;
