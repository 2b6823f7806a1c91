/** Where a connection stands, and which command may come next: the same rules for both ends. No I/O. */
import type { Agreement } from './agreement.ts';
import { isSent } from './agreement.ts';
import type { Command } from './command.ts';
import type { Verdict } from './reply.ts';

/**
 * - `opened`: nothing was negotiated yet.
 * - `negotiated`: an SMTP session may begin.
 * - `ready`: the session stands, no message is in progress (before and after HELO).
 * - `envelope`: MAIL was said, recipients follow.
 * - `content`: DATA was said.
 * - `header`: fields come.
 * - `body`: the header is complete.
 * - `closed`: nothing more may come.
 */
export type SessionState = 'opened' | 'negotiated' | 'ready' | 'envelope' | 'content' | 'header' | 'body' | 'closed';

/** The state after a command, or null when the command is out of order in this state. */
export function advance(state: SessionState, kind: Command['kind'], agreement: Agreement | null): SessionState | null {
  if (state === 'closed') return null;
  if (kind === 'quit') return 'closed';
  if (agreement === null || state === 'opened') {
    return kind === 'negotiate' && state === 'opened' ? 'negotiated' : null;
  }
  switch (kind) {
    case 'macros':
      return state;
    case 'quit-keeping-connection':
      return 'negotiated';
    case 'abort':
      return state === 'negotiated' ? 'negotiated' : 'ready';
    case 'negotiate':
      return null;
    case 'connect':
      return state === 'negotiated' ? 'ready' : null;
    default:
      return advanceSession(isSent(agreement, 'connect') || state !== 'negotiated' ? state : 'ready', kind, agreement);
  }
}

type SessionCommand = Exclude<
  Command['kind'],
  'quit' | 'macros' | 'quit-keeping-connection' | 'abort' | 'negotiate' | 'connect'
>;

function advanceSession(state: SessionState, kind: SessionCommand, agreement: Agreement): SessionState | null {
  switch (kind) {
    case 'helo':
      return state === 'ready' ? 'ready' : null;
    case 'mail':
      return state === 'ready' ? 'envelope' : null;
    case 'unknown':
      return state === 'ready' || state === 'envelope' ? state : null;
    default:
      return advanceMessage(isSent(agreement, 'mail') || state !== 'ready' ? state : 'envelope', kind, agreement);
  }
}

type MessageCommand = Exclude<SessionCommand, 'helo' | 'mail' | 'unknown'>;

function advanceMessage(state: SessionState, kind: MessageCommand, agreement: Agreement): SessionState | null {
  const inHeader = state === 'envelope' || state === 'content' || state === 'header';
  switch (kind) {
    case 'recipient':
      return state === 'envelope' ? 'envelope' : null;
    case 'data':
      return state === 'envelope' ? 'content' : null;
    case 'header':
      return inHeader ? 'header' : null;
    case 'end-of-header':
      return inHeader ? 'body' : null;
    default: {
      const inBody = state === 'body' || (inHeader && !isSent(agreement, 'end-of-header'));
      if (!inBody) return null;
      return kind === 'body' ? 'body' : 'ready';
    }
  }
}

/** Whether a message is in progress: an end of the connection would lose it. */
export function isInMessage(state: SessionState): boolean {
  return state === 'envelope' || state === 'content' || state === 'header' || state === 'body';
}

/** The state after the filter's answer to a step: most verdicts inside a message are the last word on it. */
export function afterVerdict(state: SessionState, step: Command['kind'], verdict: Verdict['kind']): SessionState {
  if (verdict === 'continue' || !isInMessage(state) || step === 'unknown') return state;
  const concernsRecipient =
    step === 'recipient' && (verdict === 'reject' || verdict === 'tempfail' || verdict === 'reply-code');
  return concernsRecipient ? state : 'ready';
}
