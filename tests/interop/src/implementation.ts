import type { GeneratedMessage } from '@zegel/test-harness';

export const algorithms = ['rsa-sha256', 'ed25519-sha256'] as const;
export type DkimAlgorithm = (typeof algorithms)[number];

export const canonicalizations = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'] as const;
/** The `c=` of a signature: header, then body. */
export type CanonicalizationPair = (typeof canonicalizations)[number];

/** What a verifier says about one signature of a message. */
export interface SignatureVerdict {
  readonly selector: string;
  /** `pass`, or the verifier's own word for anything else. */
  readonly result: string;
  readonly detail: string;
}

export interface SignRequest {
  /** One signature each, in this order from the top. */
  readonly algorithms: readonly DkimAlgorithm[];
  readonly canonicalization: CanonicalizationPair;
}

/** One implementation of DKIM: ours, or a peer. */
export interface Implementation {
  readonly name: string;
  readonly version: string;
  readonly algorithms: readonly DkimAlgorithm[];
  /** One verdict a DKIM-Signature field, top down. Rejects when the message is refused as a whole. */
  verify(wire: Uint8Array): Promise<readonly SignatureVerdict[]>;
  /** The DKIM-Signature fields to put on top, each ending in CRLF. Rejects when the message is refused. */
  sign(message: GeneratedMessage, request: SignRequest): Promise<Uint8Array>;
}
