import { beginSealing } from '@zegel/arc';
import type { ArcResult } from '@zegel/arc';
import { parseAuthenticationResults } from '@zegel/auth-results';
import type { BodyDigests, SigningKey } from '@zegel/dkim';
import { applyEdits, parseHeader } from '@zegel/message';
import type { Header } from '@zegel/message';
import type { AuthenticationResult } from './authenticate.ts';
import type { AuthenticationLimits } from './limits.ts';

/** What a seal is made with. */
export interface SealingRun {
  readonly key: SigningKey;
  readonly chain: ArcResult;
  /** With the relaxed body digest asked for, and the body through. */
  readonly digests: BodyDigests;
  readonly now: Date;
  readonly limits: AuthenticationLimits;
}

/**
 * Adds an ARC set with our results to the edits (RFC 8617 §5.1), computed over the header as it will be below it.
 *
 * A chain whose keys the DNS did not give is left as it is: a seal would say for ever that it was broken. So is a message that
 * must not be sealed.
 */
export async function sealResults(
  header: Header,
  result: AuthenticationResult,
  { chain, ...run }: SealingRun,
): Promise<AuthenticationResult> {
  const { report, edits } = result;
  const authenticationResults = parseAuthenticationResults(report.authenticationResults);
  if (chain.code === 'arc.dns-failure' || !authenticationResults.ok) return result;
  const below = parseHeader(applyEdits(header, { remove: edits.remove, prepend: [] }));
  const outcome = await beginSealing(below, {
    ...run,
    chain,
    authenticationResults: authenticationResults.value,
  }).end();
  return outcome.ok ? { report, edits: { ...edits, prepend: [...edits.prepend, ...outcome.fields] } } : result;
}
