import type { AuthenticationOptions } from '@zegel/authentication';
import type { InboundPolicy, OutboundPolicy, RefusalPolicy, SubmitterPolicy } from '@zegel/mail-policy';
import type { SigningOptions } from '@zegel/signing';

/**
 * Everything that a message goes by. Replaced as a whole on reload; a message in progress keeps what it began with.
 */
export interface MailRules {
  readonly outbound: OutboundPolicy;
  readonly submitters: SubmitterPolicy;
  readonly signing: Omit<SigningOptions, 'now'>;
  readonly onRefusal: RefusalPolicy;
  /** Whether Authentication-Results under our names are removed from outbound mail. */
  readonly removeOwnResultsOutbound: boolean;
  readonly inbound: InboundPolicy;
  readonly authentication: Omit<AuthenticationOptions, 'now' | 'signal'>;
}
