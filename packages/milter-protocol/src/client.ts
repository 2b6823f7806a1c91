import type { Duplex } from 'node:stream';
import type { Agreement, MacroList, Offer, Step } from './agreement.ts';
import { fullOffer, isAnswered, isSent, readAgreement } from './agreement.ts';
import type { Command, EnvelopeAddress, MacroStage } from './command.ts';
import { encodeCommand } from './command.ts';
import { closeStream, untilWritable } from './connection-end.ts';
import { MilterFailureError, MilterUsageError } from './errors.ts';
import type { MilterLimits } from './limits.ts';
import { milterLimits } from './limits.ts';
import { splitMessage } from './message-parts.ts';
import { modificationActions } from './modification-action.ts';
import { isWithinOffer } from './negotiate.ts';
import { ReplyReader } from './reply-reader.ts';
import type { Modification, Reply, Verdict } from './reply.ts';
import { advance, afterVerdict, isInMessage } from './session-state.ts';
import type { SessionState } from './session-state.ts';

export interface ClientOptions {
  /** How long the milter may take for a reply, in ms; `progress` begins it anew. */
  readonly timeoutMs: number;
  /** Default {@link fullOffer} without the bits for body chunks above 64 KiB, as Postfix offers. */
  readonly offer?: Offer;
  /** Default {@link milterLimits}. */
  readonly limits?: MilterLimits;
}

/** A command that is a step of an SMTP session or of a message, each answered by a verdict. */
export type StepCommand = Extract<Command, { readonly kind: Step }>;

/** A message to be filtered. */
export interface OutgoingMessage {
  readonly sender: EnvelopeAddress;
  readonly recipients: readonly EnvelopeAddress[];
  /** Header and body, lines ending in CRLF. */
  readonly raw: Uint8Array;
  /** Said before the commands of their stages; those before `recipient` are said for each. */
  readonly macros?: Readonly<Partial<Record<MacroStage, readonly (readonly [name: string, value: string])[]>>>;
}

/** What a filter made of a message. */
export interface MessageOutcome {
  /** The last word, from whatever step it came. */
  readonly verdict: Verdict;
  /** Empty unless the end of the message was reached and the verdict lets it pass. */
  readonly modifications: readonly Modification[];
  /** The verdict on each recipient, in their order; those after a last word are not there. */
  readonly recipients: readonly Verdict[];
}

/** Bytes that are collected before they are sent without being asked for. */
const sendBufferBytes = 64 * 1024;

const proceed: Verdict = { kind: 'continue' };

const postfixOffer: Offer = { ...fullOffer, protocol: fullOffer.protocol & 0x1f_ffff };

/** Opens the MTA's end of a connection to a milter, and negotiates. Throws MilterFailureError. */
export async function openMilter(stream: Duplex, options: ClientOptions): Promise<MilterClient> {
  const { offer = postfixOffer, timeoutMs, limits = milterLimits } = options;
  stream.on('error', () => {
    // Shows as a failure of the next read.
  });
  const replies = new ReplyReader(stream, timeoutMs, limits);
  try {
    stream.write(encodeCommand({ kind: 'negotiate', ...offer }));
    const answer = await replies.next();
    if (answer.kind !== 'negotiate') throw unexpected(answer, 'the negotiation');
    if (!isWithinOffer(answer, offer)) {
      throw new MilterFailureError('milter.protocol', 'the milter asked for more than it was offered');
    }
    return new MilterClient(stream, replies, readAgreement(answer), answer.macros, timeoutMs, limits);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/**
 * The MTA's end of a connection. Commands in an order the protocol has no place for are a MilterUsageError; whatever the
 * milter does wrong is a MilterFailureError, after which the connection is closed.
 */
export class MilterClient {
  readonly agreement: Agreement;
  /** The macros the filter asked for, by stage. */
  readonly wantedMacros: readonly MacroList[];
  readonly #stream: Duplex;
  readonly #replies: ReplyReader;
  readonly #timeoutMs: number;
  readonly #limits: MilterLimits;
  #state: SessionState = 'negotiated';
  #bodySkipped = false;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;

  /** For {@link openMilter}. */
  constructor(
    stream: Duplex,
    replies: ReplyReader,
    agreement: Agreement,
    wantedMacros: readonly MacroList[],
    timeoutMs: number,
    limits: MilterLimits,
  ) {
    this.#stream = stream;
    this.#replies = replies;
    this.agreement = agreement;
    this.wantedMacros = wantedMacros;
    this.#timeoutMs = timeoutMs;
    this.#limits = limits;
  }

  /** Says macros for the step that follows; not sent when the filter does not hear of that step. */
  async macros(stage: MacroStage, values: readonly (readonly [name: string, value: string])[]): Promise<void> {
    if (stage !== 'end-of-message' && !isSent(this.agreement, stage)) return;
    await this.#say({ kind: 'macros', stage, values });
  }

  /** One step. `continue` when the filter does not hear of it, or does not answer it, or needs no more of the body. */
  async step(command: StepCommand): Promise<Verdict> {
    if (!isSent(this.agreement, command.kind)) return proceed;
    if (command.kind === 'body' && this.#bodySkipped) return proceed;
    if (command.kind === 'body' && command.chunk.length > this.agreement.maxBodyBytes) {
      throw new MilterUsageError(`a body chunk holds at most ${this.agreement.maxBodyBytes} bytes here`);
    }
    await this.#say(command);
    if (!isAnswered(this.agreement, command.kind)) return proceed;
    const reply = await this.#reply();
    if (reply.kind === 'skip' && command.kind === 'body' && this.agreement.skip) {
      this.#bodySkipped = true;
      return proceed;
    }
    if (!isVerdict(reply)) throw this.#failed(unexpected(reply, `the step ${command.kind}`));
    this.#state = afterVerdict(this.#state, command.kind, reply.kind);
    return reply;
  }

  /** The end of a message, with the last part of its body when that is not said before. */
  async endOfMessage(chunk: Uint8Array = new Uint8Array(0)): Promise<Omit<MessageOutcome, 'recipients'>> {
    await this.#say({ kind: 'end-of-message', chunk });
    this.#bodySkipped = false;
    const modifications: Modification[] = [];
    let bodyBytes = 0;
    for (;;) {
      const reply = await this.#reply();
      if (isVerdict(reply)) {
        const passes = reply.kind === 'continue' || reply.kind === 'accept';
        return { verdict: reply, modifications: passes ? modifications : [] };
      }
      if (reply.kind === 'skip' || reply.kind === 'negotiate') {
        throw this.#failed(unexpected(reply, 'the end of a message'));
      }
      if (!this.agreement.actions.has(modificationActions[reply.kind])) {
        throw this.#failed(unexpected(reply, 'the end of a message, without having asked for it'));
      }
      bodyBytes += reply.kind === 'replace-body' ? reply.chunk.length : 0;
      modifications.push(reply);
      if (modifications.length > this.#limits.maxModifications || bodyBytes > this.#limits.maxReplacedBodyBytes) {
        throw this.#failed(new MilterFailureError('milter.protocol', 'more modifications than are allowed'));
      }
    }
  }

  /**
   * A whole message, from its sender to its end. Ends early at the first last word, or when no recipient is left; the
   * filter then is told to forget the message. The SMTP session must stand.
   */
  async sendMessage({ sender, recipients, raw, macros = {} }: OutgoingMessage): Promise<MessageOutcome> {
    const verdicts: Verdict[] = [];
    const give = async (command: StepCommand): Promise<Verdict> => {
      const values = command.kind === 'header' || command.kind === 'body' ? undefined : macros[command.kind];
      if (values !== undefined) await this.macros(command.kind, values);
      return this.step(command);
    };
    const early = async (verdict: Verdict): Promise<MessageOutcome> => {
      await this.abort();
      return { verdict, modifications: [], recipients: verdicts };
    };
    const mail = await give({ kind: 'mail', ...sender });
    if (mail.kind !== 'continue') return early(mail);
    for (const recipient of recipients) {
      const verdict = await give({ kind: 'recipient', ...recipient });
      verdicts.push(verdict);
      if (verdict.kind !== 'continue' && !isInMessage(this.#state)) return early(verdict);
    }
    const last = verdicts.at(-1);
    if (last !== undefined && verdicts.every((verdict) => verdict.kind !== 'continue')) return early(last);
    for (const command of this.#contentSteps(raw)) {
      const verdict = await give(command);
      if (verdict.kind !== 'continue') return early(verdict);
    }
    if (macros['end-of-message'] !== undefined) await this.macros('end-of-message', macros['end-of-message']);
    return { ...(await this.endOfMessage()), recipients: verdicts };
  }

  *#contentSteps(raw: Uint8Array): Generator<StepCommand> {
    const { fields, body } = splitMessage(raw);
    yield { kind: 'data' };
    for (const [name, value] of fields) yield { kind: 'header', name, value: this.#fieldValue(value) };
    yield { kind: 'end-of-header' };
    const size = this.agreement.maxBodyBytes;
    for (let from = 0; from < body.length; from += size) {
      yield { kind: 'body', chunk: body.subarray(from, from + size) };
    }
  }

  /** Without the leading space an MTA takes one space off, and never a tab. */
  #fieldValue(value: Uint8Array): Uint8Array {
    return !this.agreement.leadingSpace && value[0] === 0x20 ? value.subarray(1) : value;
  }

  /** Gives up the message in progress (RSET). There is no reply; harmless when there is no message. */
  async abort(): Promise<void> {
    await this.#say({ kind: 'abort' });
    this.#bodySkipped = false;
    await this.#flush();
  }

  /** Ends the SMTP session and begins another on the same connection (QUIT_NC): the next step is `connect`. */
  async quitKeepingConnection(): Promise<void> {
    await this.#say({ kind: 'quit-keeping-connection' });
    this.#bodySkipped = false;
    await this.#flush();
  }

  /** Ends the SMTP session and the connection. */
  async quit(): Promise<void> {
    await this.#say({ kind: 'quit' });
    await this.#flush();
    await this.#replies.release();
    await closeStream(this.#stream, this.#timeoutMs);
  }

  /** Sends what is still to be sent and closes the connection without a farewell, as an MTA that dies. */
  async leave(): Promise<void> {
    await this.#flush();
    this.#state = 'closed';
    this.#stream.destroy();
  }

  async #say(command: Command): Promise<void> {
    const next = advance(this.#state, command.kind, this.agreement);
    if (next === null) {
      throw new MilterUsageError(`the command ${command.kind} does not belong in the state ${this.#state}`);
    }
    const bytes = encodeCommand(command);
    this.#state = next;
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
    if (this.#unsentBytes >= sendBufferBytes) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#unsent.length === 0) return;
    const bytes = Buffer.concat(this.#unsent);
    this.#unsent = [];
    this.#unsentBytes = 0;
    if (this.#stream.destroyed) throw new MilterFailureError('milter.connection-lost', 'the connection is closed');
    this.#stream.write(bytes);
    await untilWritable(this.#stream);
  }

  /** The next reply that is more than a sign of life. */
  async #reply(): Promise<Exclude<Reply, { readonly kind: 'progress' }>> {
    await this.#flush();
    try {
      for (;;) {
        const reply = await this.#replies.next();
        if (reply.kind !== 'progress') return reply;
      }
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** Closes the connection: after a failure nobody knows what the next reply would belong to. */
  #failed<Failure>(failure: Failure): Failure {
    this.#state = 'closed';
    this.#stream.destroy();
    return failure;
  }
}

const verdictKinds: ReadonlySet<string> = new Set<Verdict['kind']>([
  'continue',
  'accept',
  'discard',
  'reject',
  'tempfail',
  'connection-failure',
  'shutdown',
  'reply-code',
]);

function isVerdict(reply: Reply): reply is Verdict {
  return verdictKinds.has(reply.kind);
}

function unexpected(reply: Reply, where: string): MilterFailureError {
  return new MilterFailureError('milter.protocol', `the milter answered ${reply.kind} to ${where}`);
}
