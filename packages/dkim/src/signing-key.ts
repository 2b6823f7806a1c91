/** The signature algorithms Zegel signs with and accepts (RFC 6376 §3.3, RFC 8301 §3, RFC 8463 §3). */
export type SigningAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

/**
 * A private key that signs for one domain and selector. It may live in memory, in a KMS or in an HSM.
 *
 * `sign` gets the canonicalized header data of RFC 6376 §3.7 and hashes it itself: RSASSA-PKCS1-v1_5 over SHA-256 for
 * `rsa-sha256`, PureEdDSA over the SHA-256 digest for `ed25519-sha256` (RFC 8463 §3). It answers the raw signature and
 * rejects only when the key cannot be reached.
 */
export interface SigningKey {
  /** The signing domain (d=), an A-label name in lower case. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SigningAlgorithm;
  sign(data: Uint8Array): Promise<Uint8Array>;
}
