import { decideDirection } from '@zegel/mail-policy';
import type { DirectionDecision } from '@zegel/mail-policy';
import { parseMessage } from '@zegel/message';
import type { Instruments } from '@zegel/service-runtime';
import { beginInbound } from './inbound.ts';
import type { MessageOutcome, RunStart } from './message-run.ts';
import { beginOutbound } from './outbound.ts';

/** A whole message, for doors that are handed one. */
export interface WholeMessage extends Omit<RunStart, 'header' | 'isHeaderExact'> {
  readonly raw: Uint8Array;
  /** Default: true. */
  readonly isHeaderExact?: boolean;
}

export interface WholeOutcome extends MessageOutcome {
  readonly direction: DirectionDecision;
}

/**
 * Runs a whole message in the direction that the rules say.
 *
 * @param permit called with the direction before anything is done; may throw.
 * @throws when infrastructure is lost: a key store, a remote key, a map of logins.
 */
export async function runMessage(
  { raw, ...message }: WholeMessage,
  instruments: Instruments,
  permit: (direction: DirectionDecision['direction']) => void = () => {},
): Promise<WholeOutcome> {
  const { header, body } = parseMessage(raw);
  const direction = decideDirection(message.session, message.rules.outbound);
  permit(direction.direction);
  const start = { isHeaderExact: true, ...message, header };
  const isInbound = direction.direction === 'inbound';
  const run = isInbound ? beginInbound(start, instruments) : await beginOutbound(start, instruments);
  if (run.needsBody) run.body(body);
  return { ...(await run.end()), direction };
}
