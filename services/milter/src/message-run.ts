import type { Header, HeaderEdits } from '@zegel/message';
import type { EnvelopeAddress, Verdict } from '@zegel/milter-protocol';
import type { DirectionDecision, MailSession } from '@zegel/mail-policy';
import type { MailRules } from './mail-rules.ts';

/** What a run is begun with, at the end of the header. */
export interface RunStart {
  readonly header: Header;
  readonly session: MailSession;
  /** The reverse-path without angle brackets; empty for the null reverse-path. */
  readonly mailFrom: string;
  readonly rules: MailRules;
  /** Whether the header is exactly that of the message: see `Agreement.leadingSpace`. */
  readonly isHeaderExact: boolean;
}

/** How a message ended, in the words of metrics and log. */
export type Outcome = 'signed' | 'unsigned' | 'accepted' | 'quarantined' | 'rejected' | 'deferred';

/** What becomes of a message, and what is told about it. */
export interface MessageOutcome {
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  readonly edits: HeaderEdits;
  /** Why it is to be held; null when it is not. */
  readonly quarantine: string | null;
  /** For the log: domains, selectors, codes. No local parts, nothing of the content. */
  readonly told: Readonly<Record<string, unknown>>;
}

/** A verb of the core at work on one message. */
export interface MessageRun {
  /** False when no more of the body is needed. */
  readonly needsBody: boolean;
  body(chunk: Uint8Array): void;
  /** Rejects when infrastructure is lost: a key store, a remote key, a map of logins. */
  end(): Promise<MessageOutcome>;
  abort(): void;
}

/** Begins a run in one direction. */
export type BeginRun = (start: RunStart) => MessageRun | Promise<MessageRun>;

export type Direction = DirectionDecision['direction'];

/** The mailbox of a MAIL command: without angle brackets and source route (RFC 5321 §3.3, §4.1.1.3). */
export function reversePath({ address }: EnvelopeAddress): string {
  const path = address.startsWith('<') && address.endsWith('>') ? address.slice(1, -1) : address;
  const route = /^@[^:]*:/.exec(path);
  return route === null ? path : path.slice(route[0].length);
}

export const proceed: Verdict = { kind: 'continue' };
