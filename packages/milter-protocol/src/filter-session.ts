import type { Agreement, Step } from './agreement.ts';
import { isAnswered } from './agreement.ts';
import { decodeCommand, maxCommandBytes } from './command.ts';
import type { Command } from './command.ts';
import { MilterUsageError } from './errors.ts';
import type { Frame } from './frame.ts';
import type {
  CreateHandler,
  EndOfMessage,
  MaybePromise,
  MessageDecision,
  MilterHandler,
  MilterSession,
} from './handler.ts';
import type { MilterLimits } from './limits.ts';
import { MacroTable } from './macros.ts';
import { modificationActions } from './modification-action.ts';
import type { FilterWishes } from './negotiate.ts';
import { negotiateAgain } from './negotiate-again.ts';
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

/** Where a session gets what belongs to its connection. */
export interface SessionGround {
  /** Sends bytes to the MTA, at once or together with what follows soon. */
  write(bytes: Uint8Array): void;
  /** Aborted when the connection is gone. Asked for when a handler wants it. */
  signal(): AbortSignal;
}

/**
 * The filter's end of one connection, without its I/O: takes frames one at a time, calls the handler, and hands what
 * is to be sent to `write`. Ends with a {@link FilterStop}; a frame that does not belong is one, never an exception.
 * Throws or rejects only with what the handler threw, or with MilterUsageError when it broke its own declarations.
 *
 * A promise is made only where the handler made one: most frames of a message need no answer, and a turn of the event
 * loop for each would cost more than what is done with them.
 */
export class FilterSession {
  readonly #createHandler: CreateHandler;
  readonly #wishes: FilterWishes;
  readonly #limits: MilterLimits;
  readonly #ground: SessionGround;
  readonly #declaredSilent: ReadonlySet<Step>;
  #state: SessionState = 'opened';
  #agreement: Agreement | null = null;
  #macros = new MacroTable();
  #handler: MilterHandler | null = null;
  #bodySkipped = false;
  #frames = 0;
  #recipients = 0;
  #messages = 0;

  constructor(createHandler: CreateHandler, wishes: FilterWishes, limits: MilterLimits, ground: SessionGround) {
    this.#createHandler = createHandler;
    this.#wishes = wishes;
    this.#limits = limits;
    this.#ground = ground;
    this.#declaredSilent = new Set(wishes.silent);
  }

  /** Messages that reached their end. */
  get messages(): number {
    return this.#messages;
  }

  get inMessage(): boolean {
    return isInMessage(this.#state);
  }

  /** Whether a message is being handed over: the MTA has all of it. */
  get inContent(): boolean {
    return this.#state === 'header' || this.#state === 'body';
  }

  /** The most payload a frame with this code may hold now. */
  maxPayloadBytes(code: string): number {
    return maxCommandBytes(code, this.#agreement?.maxBodyBytes ?? 0, this.#limits);
  }

  /** Takes one frame, when the one before is done with. Answers null to go on, or why there is nothing more to come. */
  take(frame: Frame): MaybePromise<FilterStop | null> {
    const decoded = decodeCommand(frame, this.#limits);
    if (!decoded.ok) return { reason: 'protocol', code: decoded.code, explanation: decoded.explanation };
    const { command } = decoded;
    const isAbandoned = (command.kind === 'mail' || command.kind === 'helo') && this.inMessage;
    const before = isAbandoned ? 'ready' : this.#state;
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
    return isAbandoned ? this.#abandon(command, before) : this.#perform(command, before);
  }

  /**
   * A message that was given up without a word. Sendmail says ABORT only when it has read a reply to MAIL, and the beginning of
   * the next message when there was none to read; libmilter takes that for an ABORT too.
   */
  #abandon(command: Command, before: SessionState): MaybePromise<FilterStop | null> {
    return whenDone(this.#handler?.abort?.(), () => {
      this.#endMessage(true, command.kind);
      return this.#perform(command, before);
    });
  }

  /** Tells the handler that the connection is over, whatever it was in the middle of. Throws or rejects with what that throws. */
  end(): MaybePromise<void> {
    const open = this.inMessage;
    this.#state = 'closed';
    return this.#closeHandler(open);
  }

  #perform(command: Command, before: SessionState): MaybePromise<FilterStop | null> {
    switch (command.kind) {
      case 'negotiate':
        return this.#negotiate(command);
      case 'macros':
        this.#macros.set(command.stage, command.values);
        return null;
      case 'abort':
        return whenDone(isInMessage(before) ? this.#handler?.abort?.() : undefined, () => {
          this.#endMessage(isInMessage(before));
          return null;
        });
      case 'quit':
        return whenDone(this.#closeHandler(isInMessage(before)), () => ({ reason: 'quit' }));
      case 'quit-keeping-connection':
        return whenDone(this.#closeHandler(isInMessage(before)), () => {
          this.#macros = new MacroTable();
          this.#endMessage(true);
          return null;
        });
      case 'end-of-message':
        return this.#finishMessage(command.chunk);
      case 'recipient':
        if (++this.#recipients > this.#limits.maxRecipients) {
          return protocolStop('session.too-many-recipients', `more than ${this.#limits.maxRecipients} recipients`);
        }
        break;
      default:
    }
    return this.#step(command);
  }

  #negotiate(command: Extract<Command, { readonly kind: 'negotiate' }>): FilterStop | null {
    const negotiated = negotiateAgain(command, this.#wishes);
    if (!negotiated.ok) return { reason: 'refused', code: negotiated.code, explanation: negotiated.explanation };
    this.#agreement = negotiated.agreement;
    this.#ground.write(negotiated.reply);
    return null;
  }

  #step(command: StepCommand): MaybePromise<null> {
    const answer = this.#answerTo(command);
    // Not by `whenDone`: nearly all frames come by here.
    return answer instanceof Promise
      ? answer.then((awaited) => this.#answer(command, awaited))
      : this.#answer(command, answer);
  }

  #answer(command: StepCommand, answer: Verdict | 'skip' | void): null {
    const agreement = this.#agreed();
    const skips = answer === 'skip';
    if (skips) this.#bodySkipped = true;
    const verdict = skips ? proceed : (answer ?? proceed);
    if (verdict.kind !== 'continue' && this.#declaredSilent.has(command.kind)) {
      throw new MilterUsageError(`the handler answered ${verdict.kind} to the step ${command.kind}, declared silent`);
    }
    if (isAnswered(agreement, command.kind)) this.#send(skips && agreement.skip ? { kind: 'skip' } : verdict);
    this.#state = afterVerdict(this.#state, command.kind, verdict.kind);
    if (verdict.kind !== 'continue' && !this.inMessage) this.#endMessage(true);
    return null;
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
  #finishMessage(chunk: Uint8Array): MaybePromise<null> {
    const handler = (this.#handler ??= this.#openHandler());
    const last = chunk.length === 0 || this.#bodySkipped ? undefined : handler.body?.(chunk);
    return whenDone(last, (answer) => {
      const early = answer === 'skip' || answer === undefined || answer.kind === 'continue' ? null : answer;
      if (early !== null) return this.#decide({ verdict: early });
      const end = new MessageEnd(this.#ground);
      return whenDone(handler.endOfMessage?.(end), (decision) => {
        end.over();
        return this.#decide(decision);
      });
    });
  }

  #decide(decision: MessageDecision | void): null {
    this.#ground.write(this.#encodeDecision(decision ?? {}));
    this.#messages++;
    this.#endMessage(true);
    return null;
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
    return this.#createHandler(new SessionView(this.#agreed(), this.#macros, this.#ground));
  }

  #closeHandler(aborts: boolean): MaybePromise<void> {
    const handler = this.#handler;
    this.#handler = null;
    if (handler === null) return undefined;
    return aborts ? abortAndClose(handler) : handler.close?.();
  }

  /**
   * Forgets the message. `counts` is false when there was none, so that idle chatter still runs into its limit. `next` is the
   * command that begins another one: its macros have come already.
   */
  #endMessage(counts: boolean, next?: Command['kind']): void {
    this.#macros.endMessage(next === 'mail' ? 'mail' : undefined);
    this.#bodySkipped = false;
    this.#recipients = 0;
    if (counts) this.#frames = 0;
  }

  #agreed(): Agreement {
    if (this.#agreement === null) throw new MilterUsageError('nothing was negotiated');
    return this.#agreement;
  }

  #send(reply: Reply): void {
    this.#ground.write(encodeReply(reply));
  }
}

/** What a handler sees of its session. */
class SessionView implements MilterSession {
  readonly agreement: Agreement;
  readonly #macros: MacroTable;
  readonly #ground: SessionGround;

  constructor(agreement: Agreement, macros: MacroTable, ground: SessionGround) {
    this.agreement = agreement;
    this.#macros = macros;
    this.#ground = ground;
  }

  macro(name: string): string | null {
    return this.#macros.get(name);
  }

  get signal(): AbortSignal {
    return this.#ground.signal();
  }
}

/** The time between the end of a message and the answer to it. */
class MessageEnd implements EndOfMessage {
  readonly #ground: SessionGround;
  #isWaiting = true;

  constructor(ground: SessionGround) {
    this.#ground = ground;
  }

  progress(): void {
    if (this.#isWaiting) this.#ground.write(encodeReply({ kind: 'progress' }));
  }

  over(): void {
    this.#isWaiting = false;
  }
}

async function abortAndClose(handler: MilterHandler): Promise<void> {
  try {
    await handler.abort?.();
  } finally {
    await handler.close?.();
  }
}

/** Goes on with a value: now when it is there, later when it is still to come. */
function whenDone<Value, Result>(
  value: MaybePromise<Value>,
  proceed: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(proceed) : proceed(value);
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
