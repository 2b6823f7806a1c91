import { beginInbound, beginOutbound, reversePath } from '@zegel/mail-flow';
import type { MailRules, MessageOutcome, MessageRun, RunStart } from '@zegel/mail-flow';
import { decideDirection } from '@zegel/mail-policy';
import type { DirectionDecision, ListenerMode, MailSession } from '@zegel/mail-policy';
import type { Header } from '@zegel/message';
import type {
  ClientAddress,
  EndOfMessage,
  EnvelopeAddress,
  MessageDecision,
  MilterHandler,
  MilterSession,
} from '@zegel/milter-protocol';
import { errorCode, untilAllIsRead } from '@zegel/service-runtime';
import type { Logger } from '@zegel/service-runtime';
import type { AwaitedAnswers } from './awaited-answers.ts';
import { HeaderCollector } from './header-collector.ts';
import type { Instruments } from '@zegel/service-runtime';
import { beginsWithHeader } from './whole-message.ts';

/** What the handlers of all sessions of a listener share. */
export interface HandlerGround {
  readonly mode: ListenerMode;
  /** The rules of the moment: asked for once for each message. */
  readonly rules: () => MailRules;
  readonly answers: AwaitedAnswers;
  readonly instruments: Instruments;
  readonly logger: Logger;
}

/** A message in progress. */
interface Message {
  readonly rules: MailRules;
  readonly mailFrom: string;
  readonly fields: HeaderCollector;
  header: Header | null;
  direction: DirectionDecision | null;
  /** Absent until the end of the header; a rejection shows at the end of the message. */
  run: MessageRun | null;
  failure: { readonly error: unknown } | null;
  /** Whether a part of the body has come. */
  hasBody: boolean;
  /** What about the MTA kept the message from being treated as it should. */
  notice: Notice | null;
}

/** Each with what the log tells. */
const notices = {
  'milter.whole-message-as-body':
    'the body begins with the header: the MTA hands over the whole message as body, and body hashes are wrong',
  'milter.no-quarantine': 'the MTA does not take quarantine: a message that should be held is accepted',
} as const;

type Notice = keyof typeof notices;

const tooLarge: MessageDecision = {
  verdict: { kind: 'reply-code', code: 552, enhanced: '5.3.4', text: 'The header of the message is too large' },
};
const tryLater: MessageDecision = {
  verdict: {
    kind: 'reply-code',
    code: 451,
    enhanced: '4.3.0',
    text: 'The message cannot be processed for now, try again later',
  },
};

/**
 * One SMTP session: brings the frames of each message to the verb that its direction asks for, and what that verb answers
 * back to the MTA. Knows nothing about DKIM, SPF or DMARC.
 */
export class SessionHandler implements MilterHandler {
  readonly #ground: HandlerGround;
  readonly #milter: MilterSession;
  #ip: string | undefined;
  #helo: string | undefined;
  #message: Message | null = null;

  constructor(ground: HandlerGround, milter: MilterSession) {
    this.#ground = ground;
    this.#milter = milter;
  }

  connect(_hostname: string, client: ClientAddress): void {
    this.#ip = client.family === 'ipv4' || client.family === 'ipv6' ? client.address : undefined;
  }

  helo(name: string): void {
    this.#helo = name;
  }

  mail(sender: EnvelopeAddress): void {
    this.#message = this.#begin(reversePath(sender.address));
  }

  header(name: Uint8Array, value: Uint8Array): void {
    this.#current().fields.add(name, value);
  }

  endOfHeader(): void | Promise<void> {
    const message = this.#current();
    if (message.fields.isTooLarge) return;
    const header = message.fields.header();
    message.header = header;
    const session = this.#session();
    message.direction = decideDirection(session, message.rules.outbound);
    const start: RunStart = {
      header,
      session,
      mailFrom: message.mailFrom,
      rules: message.rules,
      isHeaderExact: this.#milter.agreement.leadingSpace,
    };
    if (message.direction.direction === 'inbound') {
      message.run = beginInbound(start, this.#ground.instruments);
      return;
    }
    return beginOutbound(start, this.#ground.instruments).then(
      (run) => void (message.run = run),
      (error: unknown) => void (message.failure = { error }),
    );
  }

  body(chunk: Uint8Array): 'skip' | void {
    const { header, run, hasBody } = this.#current();
    if (!hasBody) this.#lookAtBody(chunk, header);
    if (run?.needsBody !== true) return 'skip';
    run.body(chunk);
  }

  #lookAtBody(chunk: Uint8Array, header: Header | null): void {
    const message = this.#current();
    message.hasBody = true;
    if (header !== null && beginsWithHeader(chunk, header)) message.notice = 'milter.whole-message-as-body';
  }

  async endOfMessage(end: EndOfMessage): Promise<MessageDecision> {
    const message = this.#current();
    const began = performance.now();
    const direction = message.direction?.direction ?? 'inbound';
    const { instruments, answers } = this.#ground;
    let decision = tooLarge;
    let outcome: MessageOutcome['outcome'] = 'rejected';
    let told: MessageOutcome['told'] = { code: 'milter.header-too-large' };
    try {
      if (message.failure !== null) throw message.failure.error;
      if (message.run !== null) {
        await untilAllIsRead();
        // The client has gone meanwhile, and hears of nothing.
        if (this.#message !== message) return tryLater;
        const made = await answers.wait(message.run.end(), () => end.progress());
        ({ outcome, told } = made);
        if (made.quarantine !== null && !this.#takesQuarantine) {
          outcome = 'accepted';
          message.notice ??= 'milter.no-quarantine';
        }
        decision = this.#decision(made);
      }
    } catch (error) {
      message.run?.abort();
      decision = tryLater;
      outcome = 'deferred';
      told = { code: errorCode(error) };
      instruments.countRefusal({ group: 'infrastructure', action: 'tempfail' });
      this.#ground.logger.error({ err: error, code: errorCode(error) }, 'a message could not be processed');
    }
    const seconds = (performance.now() - began) / 1000;
    instruments.countMilterMessage({ direction, outcome, seconds });
    this.#tell(message, outcome, told, seconds);
    this.#message = null;
    return decision;
  }

  #decision({ reply, edits, quarantine }: MessageOutcome): MessageDecision {
    const verdict: MessageDecision['verdict'] =
      reply === null ? { kind: 'continue' } : { kind: 'reply-code', ...reply };
    if (quarantine === null || !this.#takesQuarantine) return { verdict, edits };
    return { verdict, edits, modifications: [{ kind: 'quarantine', reason: quarantine }] };
  }

  get #takesQuarantine(): boolean {
    return this.#milter.agreement.actions.has('quarantine');
  }

  abort(): void {
    this.#message?.run?.abort();
    this.#message = null;
  }

  #begin(mailFrom: string): Message {
    return {
      rules: this.#ground.rules(),
      mailFrom,
      fields: new HeaderCollector(this.#milter.agreement.leadingSpace),
      header: null,
      direction: null,
      run: null,
      failure: null,
      hasBody: false,
      notice: null,
    };
  }

  #current(): Message {
    this.#message ??= this.#begin('');
    return this.#message;
  }

  #session(): MailSession {
    const login = this.#milter.macro('{auth_authen}');
    const daemonName = this.#milter.macro('{daemon_name}');
    const ip = this.#ip ?? this.#milter.macro('{client_addr}');
    const session: { -readonly [Key in keyof MailSession]: MailSession[Key] } = { listenerMode: this.#ground.mode };
    if (login !== null) session.login = login;
    if (daemonName !== null) session.daemonName = daemonName;
    if (ip !== null) session.ip = ip;
    if (this.#helo !== undefined) session.helo = this.#helo;
    return session;
  }

  /** The one log line of a message. */
  #tell(message: Message, outcome: string, told: MessageOutcome['told'], seconds: number): void {
    const { direction, notice } = message;
    const line = {
      queueId: this.#milter.macro('i') ?? undefined,
      direction: direction?.direction,
      why: direction?.code,
      outcome,
      ...told,
      ms: Math.round(seconds * 1000),
      ...(this.#milter.agreement.leadingSpace ? {} : { headerNotExact: true }),
    };
    if (notice === null) this.#ground.logger.info(line, 'message');
    else this.#ground.logger.warn({ ...line, notice }, notices[notice]);
  }
}
