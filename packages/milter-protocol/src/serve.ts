import type { Duplex } from 'node:stream';
import { ChunkReader } from './chunk-reader.ts';
import { closeStream, untilWritable } from './connection-end.ts';
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
   * not counted.
   */
  readonly idleMs: number;
  /** Default {@link milterLimits}. */
  readonly limits?: MilterLimits;
}

/**
 * How a connection ended: `quit` as it should, `closed` without QUIT but between messages, `lost` in the middle of
 * something, `idle` for too long, `refused` because the MTA does not offer what the filter needs, or a frame that is
 * against the `protocol`. `code` and `explanation` are there for the last two.
 */
export interface ConnectionEnd {
  readonly reason: 'quit' | 'closed' | 'lost' | 'idle' | 'refused' | 'protocol';
  readonly code: string | null;
  readonly explanation: string | null;
  /** Messages that reached their end. */
  readonly messages: number;
}

/**
 * Serves one connection of an MTA until it ends, and closes it. Nothing the MTA does makes it reject.
 *
 * Rejects with what a handler threw, after the MTA was told to try later; but when the connection is gone already, that
 * is taken for the handler's way of giving up, and the end is `lost`. Give it a socket with TCP_NODELAY set: replies are
 * small and waited for.
 */
export async function serveMilter(
  stream: Duplex,
  createHandler: CreateHandler,
  options: ServeOptions,
): Promise<ConnectionEnd> {
  const { wishes, idleMs, limits = milterLimits } = options;
  const gone = new AbortController();
  stream.on('error', () => gone.abort());
  stream.once('close', () => gone.abort());
  const session = new FilterSession(createHandler, wishes, limits, gone.signal, (bytes) => {
    if (!stream.destroyed) stream.write(bytes);
  });
  let isIdle = false;
  let isWorking = false;
  const timer = setTimeout(() => {
    if (isWorking) {
      timer.refresh();
      return;
    }
    isIdle = true;
    stream.destroy();
  }, idleMs);

  const take: TakeFrame = async (frame) => {
    isWorking = true;
    try {
      return await session.take(frame);
    } finally {
      isWorking = false;
      timer.refresh();
    }
  };

  try {
    let end: EndOfInput | FilterStop;
    try {
      end = await readFrames(stream, session, take);
    } catch (error) {
      if (!gone.signal.aborted) {
        stream.write(encodeReply({ kind: 'tempfail' }));
        throw error;
      }
      end = { reason: 'lost' };
    }
    const cut = end.reason === 'closed' && session.inMessage;
    const reason = isIdle ? 'idle' : cut ? 'lost' : end.reason;
    const stated = 'code' in end ? end : { code: null, explanation: null };
    return { reason, code: stated.code, explanation: stated.explanation, messages: session.messages };
  } finally {
    clearTimeout(timer);
    try {
      await session.end();
    } finally {
      await closeStream(stream, idleMs);
    }
  }
}

type TakeFrame = (frame: Parameters<FilterSession['take']>[0]) => Promise<FilterStop | null>;

/** The MTA sends nothing more. */
interface EndOfInput {
  readonly reason: 'closed' | 'lost';
}

/** Takes frame after frame. Answers `lost` for an error of the stream; rejects only with what `take` does. */
async function readFrames(stream: Duplex, session: FilterSession, take: TakeFrame): Promise<EndOfInput | FilterStop> {
  const decoder = new FrameDecoder((code) => session.maxPayloadBytes(code));
  const chunks = new ChunkReader(stream);
  try {
    for (;;) {
      const chunk = await chunks.next();
      if (chunk === null) return { reason: decoder.midFrame ? 'lost' : 'closed' };
      if (!(chunk instanceof Uint8Array)) return { reason: 'lost' };
      decoder.push(chunk);
      for (let found = decoder.next(); found !== null; found = decoder.next()) {
        if (!found.ok) return { reason: 'protocol', code: found.code, explanation: found.explanation };
        const stop = await take(found.frame);
        if (stop !== null) return stop;
        if (stream.writableNeedDrain) await untilWritable(stream);
        if (stream.destroyed) return { reason: 'lost' };
      }
    }
  } finally {
    await chunks.release();
  }
}
