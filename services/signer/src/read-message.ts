import { normalizeLineEnds } from '@zegel/message';
import type { Request } from 'express';
import { retryAfter } from './limits.ts';
import { Problem } from './problem.ts';

/** A message that came in a request body. */
export interface ReceivedMessage {
  /** CRLF line ends, unless the message mixes them. */
  readonly raw: Uint8Array;
  /** It came with bare LF throughout. */
  readonly lineEndsNormalized: boolean;
}

/**
 * Reads messages from request bodies: the exact bytes, at most `maxMessageBytes` of one and `maxInflightBytes` of all
 * that are in work, so that a burst of large messages is answered with 503 and not with a dead process.
 */
export class MessageReader {
  readonly #maxMessageBytes: number;
  readonly #maxInflightBytes: number;
  #inflight = 0;

  constructor(limits: { readonly maxMessageBytes: number; readonly maxInflightBytes: number }) {
    this.#maxMessageBytes = limits.maxMessageBytes;
    this.#maxInflightBytes = limits.maxInflightBytes;
  }

  /** Reads the body and gives it to `use`; its bytes count as in work until that is over. Throws a {@link Problem}. */
  async with<T>(request: Request, use: (message: ReceivedMessage) => Promise<T>): Promise<T> {
    checkMediaType(request);
    const announced = Number(request.get('content-length') ?? 0);
    if (announced > this.#maxMessageBytes) throw this.#tooLarge();
    let held = 0;
    const hold = (bytes: number): void => {
      if (this.#inflight + bytes > this.#maxInflightBytes) {
        throw new Problem(503, {
          code: 'http.busy',
          detail: 'As many message bytes are in work as may be.',
          retryAfter: retryAfter.unavailable,
        });
      }
      held += bytes;
      this.#inflight += bytes;
    };
    try {
      return await use(receive(await this.#collect(request, hold)));
    } finally {
      this.#inflight -= held;
    }
  }

  async #collect(request: Request, hold: (bytes: number) => void): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request) {
        if (!(chunk instanceof Buffer)) throw new TypeError('A request body is bytes');
        size += chunk.length;
        if (size > this.#maxMessageBytes) throw this.#tooLarge();
        hold(chunk.length);
        chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof Problem || !request.destroyed || request.complete) throw error;
      throw new Problem(400, { code: 'http.cut-off', detail: 'The request ended before its body was complete.' });
    }
    return Buffer.concat(chunks, size);
  }

  #tooLarge(): Problem {
    return new Problem(413, {
      code: 'message.too-large',
      detail: `The message is above the limit of ${this.#maxMessageBytes} bytes.`,
    });
  }
}

function receive(bytes: Buffer): ReceivedMessage {
  const { raw, normalized } = normalizeLineEnds(bytes);
  return { raw, lineEndsNormalized: normalized };
}

function checkMediaType(request: Request): void {
  const encoding = (request.get('content-encoding') ?? 'identity').toLowerCase();
  if (encoding !== 'identity') {
    throw new Problem(415, {
      code: 'http.content-encoding',
      detail: `Content-Encoding ${encoding} is not taken: a signature is over exact bytes.`,
      advice: 'Send the message as it is.',
    });
  }
  const type = (request.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'message/rfc822' && type !== 'message/global') {
    throw new Problem(415, {
      code: 'http.media-type',
      detail: `The body must be a message, and its Content-Type is ${type === '' ? 'missing' : type}.`,
      advice: 'Send the raw message with Content-Type: message/rfc822.',
    });
  }
}
