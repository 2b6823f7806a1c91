import { normalizeLineEnds } from '@zegel/message';
import type { Request } from 'express';
import type { Call } from './handlers.ts';
import { hookLimits, retryAfter, tokenShare } from './limits.ts';
import { Problem } from './problem.ts';
import { announcedLength, mediaType, readBody } from './read-body.ts';

/** A message that came in a request body. */
export interface ReceivedMessage {
  /** CRLF line ends, unless the message mixes them. */
  readonly raw: Uint8Array;
  /** It came with bare LF throughout. */
  readonly lineEndsNormalized: boolean;
}

/** Media types of a message: RFC 2046 §5.2.1, and RFC 6532 §3.7 for one with UTF-8 in its header. */
export const messageTypes = ['message/rfc822', 'message/global'] as const;

/**
 * Reads messages from request bodies: the exact bytes, at most `maxMessageBytes` of one and `maxInflightBytes` of all
 * that are in work, so that a burst of large messages is answered with 503 and not with a dead process. One token has a
 * share of these, which it cannot take from others by not sending on. What counts is what came, until the answer is read;
 * copies made at work (line ends, edits) are at most twice as much again.
 */
export class MessageReader {
  readonly #maxMessageBytes: number;
  readonly #maxInflightBytes: number;
  #inflight = 0;
  /** The same by the id of the token, without those that have none. */
  readonly #inflightOf = new Map<string, number>();

  constructor(limits: { readonly maxMessageBytes: number; readonly maxInflightBytes: number }) {
    this.#maxMessageBytes = limits.maxMessageBytes;
    this.#maxInflightBytes = limits.maxInflightBytes;
  }

  /** Bytes that are in work at this moment. */
  get inflight(): number {
    return this.#inflight;
  }

  /**
   * Reads the body and gives it to `use`, which answers; its bytes count as in work until the answer is sent. Throws a
   * {@link Problem}.
   */
  async with<T>(call: Call, use: (message: ReceivedMessage) => Promise<T>): Promise<T> {
    requireMessageType(call.request);
    return this.withAnyType(call, use);
  }

  /** The same for clients that do not say what they send. */
  async withAnyType<T>(call: Call, use: (message: ReceivedMessage) => Promise<T>): Promise<T> {
    return this.#withBytes(call, this.#maxMessageBytes, (bytes) => {
      const { raw, normalized } = normalizeLineEnds(bytes);
      return use({ raw, lineEndsNormalized: normalized });
    });
  }

  /** Likewise JSON that a message lies in. */
  async withJson<T>(call: Call, use: (bytes: Buffer) => Promise<T>): Promise<T> {
    const limit = this.#maxMessageBytes * hookLimits.jsonFactor + hookLimits.jsonMargin;
    return this.#withBytes(call, Math.min(limit, this.#maxInflightBytes), use);
  }

  async #withBytes<T>(
    { request, response, token }: Call,
    limit: number,
    use: (bytes: Buffer) => Promise<T>,
  ): Promise<T> {
    const announced = announcedLength(request);
    const share = Math.max(limit, this.#maxInflightBytes * tokenShare);
    // Better refused now than when most of it is there. It is not reserved: who sends slowly must not keep others out.
    if (announced <= limit) this.#requireRoom(announced, token.id, share);
    let held = 0;
    try {
      const bytes = await readBody(request, response, {
        limit,
        tooLarge: () =>
          new Problem(413, {
            code: 'message.too-large',
            detail: `The message is above the limit of ${limit} bytes.`,
          }),
        onBytes: (count) => {
          this.#requireRoom(count, token.id, share);
          held += count;
          this.#count(count, token.id);
        },
      });
      const result = await use(bytes);
      if (response.writableLength > 0 && !response.closed) {
        const kept = held;
        held = 0;
        response.once('close', () => this.#count(-kept, token.id));
      }
      return result;
    } finally {
      this.#count(-held, token.id);
    }
  }

  #count(bytes: number, tokenId: string): void {
    this.#inflight += bytes;
    const own = (this.#inflightOf.get(tokenId) ?? 0) + bytes;
    if (own === 0) this.#inflightOf.delete(tokenId);
    else this.#inflightOf.set(tokenId, own);
  }

  #requireRoom(bytes: number, tokenId: string, share: number): void {
    const isOwnFull = (this.#inflightOf.get(tokenId) ?? 0) + bytes > share;
    if (!isOwnFull && this.#inflight + bytes <= this.#maxInflightBytes) return;
    const whose = isOwnFull ? ' of this token' : '';
    throw new Problem(503, {
      code: 'http.busy',
      detail: `As many message bytes${whose} are in work as may be. Nothing of this request was kept.`,
      retryAfter: retryAfter.unavailable,
    });
  }
}

function requireMessageType(request: Request): void {
  const type = mediaType(request);
  if (messageTypes.some((known) => known === type)) return;
  throw new Problem(415, {
    code: 'http.media-type',
    detail: `The body must be a message, and its Content-Type is ${type === '' ? 'missing' : type}.`,
    advice: 'Send the raw message with Content-Type: message/rfc822.',
  });
}
