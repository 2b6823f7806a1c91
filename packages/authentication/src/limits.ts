import { arcLimits } from '@zegel/arc';
import type { ArcLimits } from '@zegel/arc';
import { messageLimits } from '@zegel/message';
import type { MessageLimits } from '@zegel/message';

/** Limits on one authentication. Each is an option; these are the defaults. */
export interface AuthenticationLimits extends MessageLimits, ArcLimits {
  /**
   * Milliseconds that a message waits for the DNS once its last byte is there. What is not known then is `temperror`. The
   * checks have three quarters of it and DMARC, which needs their verdicts, all: no sender can use up its time.
   * While the body still streams, look-ups are waited for anyway.
   */
  readonly dnsDeadline: number;
  /** DKIM results written into Authentication-Results. The report holds all of them. */
  readonly maxWrittenSignatures: number;
}

export const authenticationLimits: AuthenticationLimits = {
  ...messageLimits,
  ...arcLimits,
  dnsDeadline: 20_000,
  maxWrittenSignatures: 20,
};
