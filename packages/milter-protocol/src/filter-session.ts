import type { Agreement, Step } from './agreement.ts';
import { isAnswered, readAgreement } from './agreement.ts';
import { decodeCommand, maxCommandBytes } from './command.ts';
import type { Command } from './command.ts';
import { MilterUsageError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { CreateHandler, MessageDecision, MilterHandler } from './handler.ts';
import type { MilterLimits } from './limits.ts';
import { MacroTable } from './macros.ts';
import { modificationActions } from './modification-action.ts';
import { negotiate } from './negotiate.ts';
import type { FilterWishes } from './negotiate.ts';
import { renderEdits } from './render-edits.ts';
import { encodeReply, maxReplacedChunkBytes } from './reply.ts';
import type { Modification, Reply, Verdict } from './reply.ts';
import { advance, afterVerdict, isInMessage } from './session-state.ts';
import type { SessionState } from './session-state.ts';

/** Why a filter's end of a connection goes no further. */
export type FilterStop =
  | { readonly reason: 'quit' }
  | { readonly reason: 'refused' | 'protocol'; readonly code: string; readonly explanation: string };

/** A command that one handler callback answers. */
type StepCommand = Extract<Command, { readonly kind: Step }>;

const proceed: Verdict = { kind: 'continue' };

/**
 * The filter's end of one connection, without its I/O: takes frames one at a time, calls the handler, and hands what
 * is to be sent to `write`. Ends with a {@link FilterStop}; a frame that does not belong is one, never an exception.
 * Rejects only with what the handler threw, or with MilterUsageError when it broke its own declarations.
 */
export class FilterSession {
  readonly #createHandler: CreateHandler;
  readonly #wishes: FilterWishes;
  readonly #limits: MilterLimits;
  readonly #signal: AbortSignal;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #declaredSilent: ReadonlySet<Step>;
  #state: SessionState = 'opened';
  #agreement: Agreement | null = null;
  #macros = new MacroTable();
  #handler: MilterHandler | null = null;
  #bodySkipped = false;
  #frames = 0;
  #recipients = 0;
  #messages = 0;

  constructor(
    createHandler: CreateHandler,
    wishes: FilterWishes,
    limits: MilterLimits,
    signal: AbortSignal,
    write: (bytes: Uint8Array) => void,
  ) {
    this.#createHandler = createHandler;
    this.#wishes = wishes;
    this.#limits = limits;
    this.#signal = signal;
    this.#write = write;
    this.#declaredSilent = new Set(wishes.silent);
  }

  /** Messages that reached their end. */
  get messages(): number {
    return this.#messages;
  }

  get inMessage(): boolean {
    return isInMessage(this.#state);
  }

  /** The most payload a frame with this code may hold now. */
  maxPayloadBytes(code: string): number {
    return maxCommandBytes(code, this.#agreement?.maxBodyBytes ?? 0, this.#limits);
  }

  /** Takes one frame. Answers null to go on, or why there is nothing more to come. */
  async take(frame: Frame): Promise<FilterStop | null> {
    const decoded = decodeCommand(frame, this.#limits);
    if (!decoded.ok) return { reason: 'protocol', code: decoded.code, explanation: decoded.explanation };
    const { command } = decoded;
    const before = this.#state;
    const next = advance(before, command.kind, this.#agreement);
    if (next === null) {
      return protocolStop('session.out-of-order', `the command ${command.kind} does not belong in the state ${before}`);
    }
    this.#frames++;
    if (this.#frames > this.#limits.maxMessageFrames) {
      return protocolStop(
        'session.too-many-frames',
        `more than ${this.#limits.maxMessageFrames} frames in one message`,
      );
    }
    this.#state = next;
    return this.#perform(command, before);
  }

  /** Tells the handler that the connection is over, whatever it was in the middle of. */
  async end(): Promise<void> {
    const open = this.inMessage;
    this.#state = 'closed';
    await this.#closeHandler(open);
  }

  async #perform(command: Command, before: SessionState): Promise<FilterStop | null> {
    switch (command.kind) {
      case 'negotiate':
        return this.#negotiate(command);
      case 'macros':
        this.#macros.set(command.stage, command.values);
        return null;
      case 'abort':
        if (isInMessage(before)) await this.#handler?.abort?.();
        this.#endMessage(isInMessage(before));
        return null;
      case 'quit':
        await this.#closeHandler(isInMessage(before));
        return { reason: 'quit' };
      case 'quit-keeping-connection':
        await this.#closeHandler(isInMessage(before));
        this.#macros = new MacroTable();
        this.#endMessage(true);
        return null;
      case 'end-of-message':
        await this.#finishMessage(command.chunk);
        return null;
      case 'recipient':
        if (++this.#recipients > this.#limits.maxRecipients) {
          return protocolStop('session.too-many-recipients', `more than ${this.#limits.maxRecipients} recipients`);
        }
        break;
      default:
    }
    await this.#step(command);
    return null;
  }

  #negotiate(command: Extract<Command, { readonly kind: 'negotiate' }>): FilterStop | null {
    const result = negotiate(command, this.#wishes);
    if (!result.ok) return { reason: 'refused', code: result.code, explanation: result.explanation };
    this.#agreement = readAgreement(result.answer);
    this.#send({ kind: 'negotiate', ...result.answer });
    return null;
  }

  async #step(command: StepCommand): Promise<void> {
    const agreement = this.#agreed();
    const answer = await this.#answerTo(command);
    const skips = answer === 'skip';
    if (skips) this.#bodySkipped = true;
    const verdict = skips ? proceed : (answer ?? proceed);
    if (verdict.kind !== 'continue' && this.#declaredSilent.has(command.kind)) {
      throw new MilterUsageError(`the handler answered ${verdict.kind} to the step ${command.kind}, declared silent`);
    }
    if (isAnswered(agreement, command.kind)) this.#send(skips && agreement.skip ? { kind: 'skip' } : verdict);
    this.#state = afterVerdict(this.#state, command.kind, verdict.kind);
    if (verdict.kind !== 'continue' && !this.inMessage) this.#endMessage(true);
  }

  #answerTo(command: StepCommand): ReturnType<NonNullable<MilterHandler['body']>> {
    const handler = (this.#handler ??= this.#openHandler());
    switch (command.kind) {
      case 'connect':
        return handler.connect?.(command.hostname, command.client);
      case 'helo':
        return handler.helo?.(command.name);
      case 'mail':
        return handler.mail?.(command);
      case 'recipient':
        return handler.recipient?.(command);
      case 'data':
        return handler.data?.();
      case 'unknown':
        return handler.unknown?.(command.line);
      case 'header':
        return handler.header?.(command.name, command.value);
      case 'end-of-header':
        return handler.endOfHeader?.();
      case 'body':
        return this.#bodySkipped ? undefined : handler.body?.(command.chunk);
    }
  }

  /** The end of a message: its last chunk, the changes, and the one verdict. */
  async #finishMessage(chunk: Uint8Array): Promise<void> {
    const handler = (this.#handler ??= this.#openHandler());
    const answer = chunk.length === 0 || this.#bodySkipped ? undefined : await handler.body?.(chunk);
    const early = answer === 'skip' || answer === undefined || answer.kind === 'continue' ? null : answer;
    let waiting = true;
    const progress = () => {
      if (waiting && !this.#signal.aborted) this.#send({ kind: 'progress' });
    };
    let decision: MessageDecision | void;
    try {
      decision = early === null ? await handler.endOfMessage?.({ progress }) : { verdict: early };
    } finally {
      waiting = false;
    }
    this.#write(this.#encodeDecision(decision ?? {}));
    this.#messages++;
    this.#endMessage(true);
  }

  #encodeDecision({ edits, modifications = [], verdict = proceed }: MessageDecision): Buffer {
    const agreement = this.#agreed();
    const changes = edits === undefined ? modifications : [...renderEdits(edits, agreement), ...modifications];
    const replies: Buffer[] = [];
    if (verdict.kind === 'continue' || verdict.kind === 'accept') {
      for (const change of changes) {
        if (!agreement.actions.has(modificationActions[change.kind])) {
          throw new MilterUsageError(`the handler wants ${change.kind}, which is not among its declared actions`);
        }
        for (const part of inChunks(change)) replies.push(encodeReply(part));
      }
    }
    replies.push(encodeReply(verdict));
    return Buffer.concat(replies);
  }

  #openHandler(): MilterHandler {
    const macros = this.#macros;
    return this.#createHandler({
      agreement: this.#agreed(),
      macro: (name) => macros.get(name),
      signal: this.#signal,
    });
  }

  async #closeHandler(aborts: boolean): Promise<void> {
    const handler = this.#handler;
    this.#handler = null;
    if (handler === null) return;
    try {
      if (aborts) await handler.abort?.();
    } finally {
      await handler.close?.();
    }
  }

  /** Forgets the message. `counts` is false when there was none, so that idle chatter still runs into its limit. */
  #endMessage(counts: boolean): void {
    this.#macros.endMessage();
    this.#bodySkipped = false;
    this.#recipients = 0;
    if (counts) this.#frames = 0;
  }

  #agreed(): Agreement {
    if (this.#agreement === null) throw new MilterUsageError('nothing was negotiated');
    return this.#agreement;
  }

  #send(reply: Reply): void {
    this.#write(encodeReply(reply));
  }
}

function protocolStop(code: string, explanation: string): FilterStop {
  return { reason: 'protocol', code, explanation };
}

/** A body of any length as parts that fit a frame each. */
function inChunks(change: Modification): readonly Modification[] {
  if (change.kind !== 'replace-body' || change.chunk.length <= maxReplacedChunkBytes) return [change];
  const parts: Modification[] = [];
  for (let from = 0; from < change.chunk.length; from += maxReplacedChunkBytes) {
    parts.push({ kind: 'replace-body', chunk: change.chunk.subarray(from, from + maxReplacedChunkBytes) });
  }
  return parts;
}
