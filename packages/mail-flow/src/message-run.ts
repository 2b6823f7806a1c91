import type { AuthenticationReport } from '@zegel/authentication';
import type { MailSession, SmtpReply } from '@zegel/mail-policy';
import type { Header, HeaderEdits } from '@zegel/message';
import type { MailRules } from './mail-rules.ts';

/** What a run is begun with, at the end of the header. */
export interface RunStart {
  readonly header: Header;
  readonly session: MailSession;
  /** The reverse-path without angle brackets; empty for the null reverse-path, absent when it is not known. */
  readonly mailFrom?: string;
  readonly rules: MailRules;
  /** Whether the header is exactly that of the message: white space after the colon may be lost on the way to us. */
  readonly isHeaderExact: boolean;
  /** The door cannot vouch that it hands over the octets of the message: nothing is signed, no signature verified. */
  readonly mayBeDamaged?: boolean;
  /** The door turned bare LF into CRLF. */
  readonly lineEndsNormalized?: boolean;
  /** Domains that whoever calls the door is held to: authors outside them are not signed for, whatever the submitter may. */
  readonly authorsWithin?: readonly string[];
}

/** How a message ended, in the words of metrics and log. */
export type Outcome = 'signed' | 'unsigned' | 'accepted' | 'quarantined' | 'rejected' | 'deferred';

/** What becomes of a message, and what is told about it. */
export interface MessageOutcome {
  readonly outcome: Outcome;
  /** The refusal, for now or for good; null when the message is taken. */
  readonly reply: SmtpReply | null;
  readonly edits: HeaderEdits;
  /** Why it is to be held; null when it is not. */
  readonly quarantine: string | null;
  /** What decided, and why; for a person, without local parts. */
  readonly code: string;
  readonly explanation: string;
  /** Of inbound mail. */
  readonly report?: AuthenticationReport;
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

/** The mailbox of a MAIL command: without angle brackets and source route (RFC 5321 §3.3, §4.1.1.3). */
export function reversePath(path: string): string {
  const address = path.startsWith('<') && path.endsWith('>') ? path.slice(1, -1) : path;
  const route = /^@[^:]*:/.exec(address);
  return route === null ? address : address.slice(route[0].length);
}
