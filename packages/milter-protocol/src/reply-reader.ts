import type { Duplex } from 'node:stream';
import { ChunkReader } from './chunk-reader.ts';
import { MilterFailureError } from './errors.ts';
import { FrameDecoder } from './frame.ts';
import type { MilterLimits } from './limits.ts';
import { decodeReply, maxReplyBytes } from './reply.ts';
import type { Reply } from './reply.ts';

/** Replies from a stream, one at a time. */
export class ReplyReader {
  readonly #stream: Duplex;
  readonly #chunks: ChunkReader;
  readonly #decoder: FrameDecoder;
  readonly #timeoutMs: number;
  #timedOut = false;

  constructor(stream: Duplex, timeoutMs: number, limits: MilterLimits) {
    this.#stream = stream;
    this.#chunks = new ChunkReader(stream);
    this.#decoder = new FrameDecoder((code) => maxReplyBytes(code, limits));
    this.#timeoutMs = timeoutMs;
  }

  /** The next reply. Throws MilterFailureError when none comes in time, or what comes is none. */
  async next(): Promise<Reply> {
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#stream.destroy();
    }, this.#timeoutMs);
    try {
      for (;;) {
        const found = this.#decoder.next();
        if (found === null) {
          this.#decoder.push(await this.#nextChunk());
          continue;
        }
        if (!found.ok) throw new MilterFailureError('milter.protocol', found.explanation);
        const decoded = decodeReply(found.frame);
        if (!decoded.ok) throw new MilterFailureError('milter.protocol', decoded.explanation);
        return decoded.reply;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Leaves the stream to others. */
  async release(): Promise<void> {
    await this.#chunks.release();
  }

  async #nextChunk(): Promise<Uint8Array> {
    const chunk = await this.#chunks.next();
    if (chunk instanceof Uint8Array) return chunk;
    throw this.#failure(chunk ?? undefined);
  }

  #failure(options?: ErrorOptions): MilterFailureError {
    if (this.#timedOut)
      return new MilterFailureError('milter.timeout', `no reply within ${this.#timeoutMs} ms`, options);
    return new MilterFailureError('milter.connection-lost', 'the milter closed the connection', options);
  }
}
