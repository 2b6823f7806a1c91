import type { HeaderEdits } from '@zegel/message';
import type { Agreement } from './agreement.ts';
import type { ClientAddress, EnvelopeAddress } from './command.ts';
import type { Modification, Verdict } from './reply.ts';

/** What a handler may know of the SMTP session it serves. */
export interface MilterSession {
  readonly agreement: Agreement;
  /** The value of a macro (`i`, `{auth_authen}`; braces or not), or null. From the latest stage that has it. */
  macro(name: string): string | null;
  /** Aborted when the connection is gone: whatever is still being done for it is for nothing. */
  readonly signal: AbortSignal;
}

/** What a callback answers: the value, or a promise of it. A promise costs a turn of the event loop. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** The answer to a step; nothing means `continue`. A step that was declared silent gets no other answer. */
export type StepAnswer = MaybePromise<Verdict | void>;

/** The answer to a body chunk: `skip` when no more of this message's body is needed by anybody. */
export type BodyAnswer = MaybePromise<Verdict | 'skip' | void>;

/** What becomes of a message. Changes are made only when the verdict is `continue` (the default) or `accept`. */
export interface MessageDecision {
  readonly edits?: HeaderEdits;
  /** Changes beside the edits; they follow them. */
  readonly modifications?: readonly Modification[];
  readonly verdict?: Verdict;
}

/** What a handler can do while the MTA waits for the end of a message. */
export interface EndOfMessage {
  /** Tells the MTA that work goes on, so that its time limit begins anew. Does nothing once the message is answered. */
  progress(): void;
}

/**
 * A filter, for one SMTP session: any number of messages, one after the other. Every callback may be left out. They are
 * called one at a time. Bytes are views that stay valid.
 *
 * What a callback throws ends the connection: the MTA is told to try later, and `serveMilter` rejects with it.
 */
export interface MilterHandler {
  connect?(hostname: string, client: ClientAddress): StepAnswer;
  helo?(name: string): StepAnswer;
  mail?(sender: EnvelopeAddress): StepAnswer;
  recipient?(recipient: EnvelopeAddress): StepAnswer;
  data?(): StepAnswer;
  unknown?(line: string): StepAnswer;
  /** One header field, as `headerFromPairs` of @zegel/message takes them when the leading space was agreed on. */
  header?(name: Uint8Array, value: Uint8Array): StepAnswer;
  endOfHeader?(): StepAnswer;
  body?(chunk: Uint8Array): BodyAnswer;
  endOfMessage?(end: EndOfMessage): MaybePromise<MessageDecision | void>;
  /** The message in progress will not be finished: aborted by the MTA, or the connection ended. */
  abort?(): MaybePromise<void>;
  /** The SMTP session is over. Called once, last of all. */
  close?(): MaybePromise<void>;
}

/** Makes the handler of an SMTP session. With QUIT_NC a connection carries several sessions. */
export type CreateHandler = (session: MilterSession) => MilterHandler;
