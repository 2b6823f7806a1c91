import { dkimLimits } from '@zegel/dkim';
import type { DkimLimits } from '@zegel/dkim';

/** Limits on what an ARC chain may ask of us, beside those on its signatures and keys. These are the defaults. */
export interface ArcLimits extends DkimLimits {
  /** Bytes of all ARC fields together. Every seal is made over all sets below it, so cost grows with this and the sets. */
  readonly maxChainBytes: number;
  /** ARC-Message-Signature fields that are checked, newest first. The newest decides; older ones give `oldestPass`. */
  readonly maxMessageSignatures: number;
}

export const arcLimits: ArcLimits = {
  ...dkimLimits,
  maxChainBytes: 256 * 1024,
  maxMessageSignatures: 10,
};

/** Sets in a chain, and the highest instance (RFC 8617 §4.2.1). No option changes it. */
export const maxSets = 50;
