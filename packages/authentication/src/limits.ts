import { dkimLimits } from '@zegel/dkim';
import type { DkimLimits } from '@zegel/dkim';
import { messageLimits } from '@zegel/message';
import type { MessageLimits } from '@zegel/message';

/** Limits on one authentication. Each is an option; these are the defaults. */
export interface AuthenticationLimits extends MessageLimits, DkimLimits {
  /** Milliseconds from the header to the last DNS answer of a message. What is not known then is `temperror`. */
  readonly dnsDeadline: number;
  /** DKIM results written into Authentication-Results. The report holds all of them. */
  readonly maxWrittenSignatures: number;
}

export const authenticationLimits: AuthenticationLimits = {
  ...messageLimits,
  ...dkimLimits,
  dnsDeadline: 20_000,
  maxWrittenSignatures: 20,
};
