import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** Resolves when the stream takes more, or is gone. */
export async function untilWritable(stream: Duplex): Promise<void> {
  if (!stream.writableNeedDrain || stream.destroyed) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } catch {
    // An error of the stream shows at its next read.
  } finally {
    settled.abort();
  }
}

/**
 * Sends what is still to be sent and closes, with no more patience for the other end than `patienceMs`. What comes in
 * meanwhile is dropped, so that an end that waits to be read is not waited for.
 */
export async function closeStream(stream: Duplex, patienceMs: number): Promise<void> {
  if (stream.closed) return;
  const closed = new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
  });
  if (stream.destroyed || stream.writableFinished) {
    stream.destroy();
    return closed;
  }
  const timer = setTimeout(() => stream.destroy(), patienceMs);
  // An end that has said its last word may be gone before it hears of ours.
  const leave = (): void => void setImmediate(() => stream.writableLength === 0 && stream.destroy());
  if (stream.readableEnded) leave();
  else stream.once('end', leave);
  stream.resume().end(() => stream.destroy());
  await closed;
  clearTimeout(timer);
}
