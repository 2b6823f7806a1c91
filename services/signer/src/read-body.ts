import { untilAllIsRead } from '@zegel/service-runtime';
import type { Request, Response } from 'express';
import { Problem } from './problem.ts';

export interface ReadBodyOptions {
  /** Bytes of the body at most. */
  readonly limit: number;
  /** The answer to a larger one. */
  readonly tooLarge: () => Problem;
  /** Hears of the bytes that come, before they are kept; may throw to refuse the rest. */
  readonly onBytes?: (count: number) => void;
}

/**
 * The exact bytes of a request body. One whose announced length is above the limit is refused before anything of it is read.
 * Throws a {@link Problem}; the connection stays usable, so that a client in the middle of its upload finds the answer.
 */
export async function readBody(
  request: Request,
  response: Response,
  { limit, tooLarge, onBytes }: ReadBodyOptions,
): Promise<Buffer> {
  refuseCodings(request);
  if (announcedLength(request) > limit) throw tooLarge();
  if (awaitsInvitation(request)) response.writeContinue();
  // A small body lies behind the header in what was just read, and is parsed by then.
  else if (!request.complete) await untilAllIsRead();
  let size = 0;
  return collect(request, (count) => {
    size += count;
    if (size > limit) throw tooLarge();
    onBytes?.(count);
  });
}

/**
 * All chunks of a body, as one. `admit` hears the length of each before it is kept; when it throws, what was kept is let go
 * and the rest flows by: who sends a body to the end before reading must find the answer. By events, since an iterator of
 * the stream costs more than all else that is done for a small body.
 */
function collect(request: Request, admit: (count: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const cutOff = (): void =>
      reject(new Problem(400, { code: 'http.cut-off', detail: 'The request ended before its body was complete.' }));
    if (request.destroyed) {
      cutOff();
      return;
    }
    // One read is cheaper than the events.
    if (request.complete && request.readableFlowing === null) {
      admit(request.readableLength);
      const body: unknown = request.read();
      resolve(body instanceof Buffer ? body : Buffer.alloc(0));
      return;
    }
    let chunks: Buffer[] | null = [];
    request.on('data', (chunk: Buffer) => {
      if (chunks === null) return;
      try {
        admit(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        chunks = null;
        reject(error);
      }
    });
    request.on('end', () => {
      if (chunks !== null) resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
      chunks = null;
    });
    // It comes after the end too, and after a refusal.
    request.on('close', () => {
      if (chunks !== null) cutOff();
    });
  });
}

/** Content-Length; 0 when the body is chunked or there is none. */
export function announcedLength(request: Request): number {
  return Number(request.get('content-length') ?? 0);
}

/** Whether the client waits for a word before it sends its body (RFC 9110 §10.1.1). */
export function awaitsInvitation(request: Request): boolean {
  return request.httpVersionMinor > 0 && /^100-continue$/i.test(request.get('expect') ?? '');
}

/** The media type of the body, without parameters; empty when none is given. */
export function mediaType(request: Request): string {
  return (request.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function refuseCodings(request: Request): void {
  const encoding = (request.get('content-encoding') ?? 'identity').toLowerCase();
  if (encoding !== 'identity') {
    throw new Problem(415, {
      code: 'http.content-encoding',
      detail: `Content-Encoding ${encoding} is not taken.`,
      advice: 'Send the body as it is: a signature is over exact bytes.',
    });
  }
  const transfer = request.get('transfer-encoding')?.toLowerCase();
  if (transfer !== undefined && transfer !== 'chunked') {
    throw new Problem(501, {
      code: 'http.transfer-encoding',
      detail: `Transfer-Encoding ${transfer} is not taken; chunked is.`,
    });
  }
}
