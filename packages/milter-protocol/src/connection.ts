import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { closeStream } from './connection-end.ts';
import { FilterSession } from './filter-session.ts';
import type { FilterStop } from './filter-session.ts';
import { FrameDecoder } from './frame.ts';
import type { CreateHandler } from './handler.ts';
import { milterLimits } from './limits.ts';
import type { MilterLimits } from './limits.ts';
import type { FilterWishes } from './negotiate.ts';
import { encodeReply } from './reply.ts';

export interface ServeOptions {
  readonly wishes: FilterWishes;
  /**
   * How long the MTA may take for its next complete frame, in ms, and for reading a reply. The time a handler takes is
   * not counted. From MAIL to the first header field too the MTA waits for its client: nothing bounds how long that one
   * may take for a message (RFC 5321 §4.5.3.2 bounds each command and each block of data), and the MTA has all of it
   * before it says any of it.
   */
  readonly idleMs: number;
  /** The same where nobody but the MTA is waited for: from the first header field on. Default: `idleMs`. */
  readonly commandMs?: number;
  /** Default {@link milterLimits}. */
  readonly limits?: MilterLimits;
}

/**
 * How a connection ended: `quit` as it should, `closed` without QUIT but between messages, `lost` in the middle of
 * something, `idle` for too long, `stopped` by us between messages, `refused` because the MTA does not offer what the
 * filter needs, or a frame that is against the `protocol`. `code` and `explanation` are there for the last two, and for
 * `idle` in the middle of a message.
 */
export interface ConnectionEnd {
  readonly reason: 'quit' | 'closed' | 'lost' | 'idle' | 'stopped' | 'refused' | 'protocol';
  readonly code: string | null;
  readonly explanation: string | null;
  /** Messages that reached their end. */
  readonly messages: number;
}

/** Bytes of replies that are held back, so that those to one chunk go out in one write. */
const heldReplyBytes = 16 * 1024;

/** One connection of an MTA: serves it until it ends, and closes it. */
export class MilterConnection {
  /**
   * Resolves when the connection is closed; nothing the MTA does makes it reject. Rejects with what a handler threw,
   * after the MTA was told to try later; but when the connection is gone already, that is taken for the handler's way of
   * giving up, and the end is `lost`.
   */
  readonly ended: Promise<ConnectionEnd>;
  readonly #stream: Duplex;
  readonly #session: FilterSession;
  readonly #decoder: FrameDecoder;
  readonly #idleMs: number;
  readonly #commandMs: number;
  readonly #settle: PromiseWithResolvers<ConnectionEnd>;
  #timer: NodeJS.Timeout;
  #lastFrameAt = performance.now();
  /** Made when a handler asks for its signal. */
  #goneController: AbortController | null = null;
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  /** `working`: a handler's promise is waited for. `blocked`: the MTA reads no replies. */
  #phase: 'reading' | 'working' | 'blocked' | 'over' = 'reading';
  #isInputOver = false;
  #isStopping = false;

  constructor(stream: Duplex, createHandler: CreateHandler, options: ServeOptions) {
    const { wishes, idleMs, commandMs = idleMs, limits = milterLimits } = options;
    this.#stream = stream;
    this.#idleMs = idleMs;
    this.#commandMs = commandMs;
    this.#settle = Promise.withResolvers<ConnectionEnd>();
    this.ended = this.#settle.promise;
    this.#session = new FilterSession(createHandler, wishes, limits, {
      write: (bytes) => this.#write(bytes),
      signal: () => this.#goneSignal(),
    });
    this.#decoder = new FrameDecoder((code) => this.#session.maxPayloadBytes(code));
    this.#timer = setTimeout(this.#checkTime, Math.min(idleMs, commandMs));
    stream.on('error', this.#onGone);
    stream.once('close', this.#onGone);
    stream.once('end', () => {
      this.#isInputOver = true;
      this.#takeFrames();
    });
    stream.on('data', (chunk: Uint8Array) => {
      if (this.#phase === 'over') return;
      this.#decoder.push(chunk);
      // While nothing can be taken one chunk is enough to hold; an MTA that goes away is noticed until then.
      if (this.#phase === 'reading') this.#takeFrames();
      else stream.pause();
    });
  }

  /** Whether a message is in progress. */
  get inMessage(): boolean {
    return this.#session.inMessage;
  }

  /** Takes no further message: closes the connection now, or when the message in progress is answered. */
  stop(): void {
    this.#isStopping = true;
    if (this.#phase === 'reading' && !this.#session.inMessage) this.#finish({ reason: 'stopped' });
  }

  #takeFrames(): void {
    // Read once for all frames that are here.
    const now = performance.now();
    while (this.#phase === 'reading') {
      const found = this.#decoder.next();
      if (found === null) {
        this.#flush();
        if (this.#phase === 'reading') this.#awaitInput();
        return;
      }
      if (!found.ok) {
        this.#finish({ reason: 'protocol', code: found.code, explanation: found.explanation });
        return;
      }
      try {
        const stop = this.#session.take(found.frame);
        if (stop instanceof Promise) void this.#work(stop);
        else this.#taken(stop, now);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /** A frame is done with. */
  #taken(stop: FilterStop | null, now: number): void {
    this.#lastFrameAt = now;
    if (stop !== null) this.#finish(stop);
    else if (this.#isStopping && !this.#session.inMessage) this.#finish({ reason: 'stopped' });
    else if (this.#unsentBytes >= heldReplyBytes) this.#flush();
  }

  async #work(stop: Promise<FilterStop | null>): Promise<void> {
    this.#flush();
    this.#phase = 'working';
    try {
      const stopped = await stop;
      if (this.#phase !== 'working') return;
      this.#phase = 'reading';
      this.#taken(stopped, performance.now());
    } catch (error) {
      this.#fail(error);
    }
    this.#takeFrames();
  }

  #awaitInput(): void {
    // It may have gone while something was worked on.
    if (this.#isInputOver || this.#stream.destroyed) {
      const isCut = !this.#isInputOver || this.#decoder.midFrame || this.#session.inMessage;
      this.#finish({ reason: isCut ? 'lost' : 'closed' });
    } else if (this.#stream.isPaused()) {
      this.#stream.resume();
    }
  }

  #write(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
    if (this.#phase === 'working') this.#flush();
  }

  #flush(): void {
    const unsent = this.#unsent;
    const [first] = unsent;
    if (first === undefined) return;
    this.#unsent = [];
    this.#unsentBytes = 0;
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    const takesMore = this.#stream.write(unsent.length === 1 ? first : Buffer.concat(unsent));
    if (takesMore || this.#phase !== 'reading') return;
    this.#phase = 'blocked';
    this.#stream.once('drain', () => {
      if (this.#phase !== 'blocked') return;
      this.#phase = 'reading';
      this.#takeFrames();
    });
  }

  /** Looks now and then whether the MTA takes too long: cheaper than a new timer for each frame. */
  readonly #checkTime = (): void => {
    const allowed = this.#session.inContent ? this.#commandMs : this.#idleMs;
    const left = this.#phase === 'working' ? allowed : allowed - (performance.now() - this.#lastFrameAt);
    if (left > 0) {
      this.#timer = setTimeout(this.#checkTime, Math.min(Math.ceil(left), this.#idleMs, this.#commandMs));
      return;
    }
    this.#stream.destroy();
    const explanation = `nothing came for ${Math.round(allowed / 1000)} s in the middle of a message`;
    this.#finish(
      this.#session.inMessage ? { reason: 'idle', code: 'connection.silent', explanation } : { reason: 'idle' },
    );
  };

  readonly #onGone = (): void => {
    this.#goneController?.abort();
    // What is being worked on decides for itself whether it goes on.
    if (this.#phase === 'reading' || this.#phase === 'blocked') {
      const isCut = !this.#isInputOver || this.#decoder.midFrame || this.#session.inMessage;
      this.#finish({ reason: isCut ? 'lost' : 'closed' });
    }
  };

  #goneSignal(): AbortSignal {
    if (this.#goneController === null) {
      this.#goneController = new AbortController();
      if (this.#stream.destroyed) this.#goneController.abort();
    }
    return this.#goneController.signal;
  }

  #fail(error: unknown): void {
    if (this.#phase === 'over') return;
    if (this.#stream.destroyed) {
      this.#finish({ reason: 'lost' });
      return;
    }
    this.#write(encodeReply({ kind: 'tempfail' }));
    this.#flush();
    void this.#close(false, () => this.#settle.reject(error));
  }

  #finish(end: Omit<ConnectionEnd, 'messages'> | { readonly reason: ConnectionEnd['reason'] }): void {
    if (this.#phase === 'over') return;
    this.#flush();
    const stated = 'code' in end ? end : { code: null, explanation: null };
    const { messages } = this.#session;
    void this.#close(end.reason === 'quit', () =>
      this.#settle.resolve({ reason: end.reason, code: stated.code, explanation: stated.explanation, messages }),
    );
  }

  async #close(isQuit: boolean, settle: () => void): Promise<void> {
    this.#phase = 'over';
    clearTimeout(this.#timer);
    try {
      const ending = this.#session.end();
      if (ending instanceof Promise) await ending;
      // After QUIT nobody reads or writes any more, so that no farewell is waited for. Only a socket's other end hears of it.
      if (isQuit && this.#stream instanceof Socket && this.#stream.writableLength === 0) this.#stream.destroy();
      await closeStream(this.#stream, this.#idleMs);
      // The collector of the young generation lets closed sockets live on for a while, and all that hangs on them.
      this.#stream.removeAllListeners();
      settle();
    } catch (error) {
      this.#stream.destroy();
      this.#settle.reject(error);
    }
  }
}
