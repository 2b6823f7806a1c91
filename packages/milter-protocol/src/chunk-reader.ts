import type { Duplex } from 'node:stream';

/** The stream failed, or was destroyed before its end. The cause is what it said. */
export interface LostStream {
  readonly cause: unknown;
}

/** Chunks from a stream, when they are asked for. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<unknown>;

  constructor(stream: Duplex) {
    this.#chunks = stream.iterator({ destroyOnReturn: false });
  }

  /** The next chunk, or null at the end of the stream. */
  async next(): Promise<Uint8Array | null | LostStream> {
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) return null;
      return value instanceof Uint8Array ? value : { cause: new TypeError('the stream does not give bytes') };
    } catch (cause) {
      return { cause };
    }
  }

  /** Leaves the stream to others. */
  async release(): Promise<void> {
    await this.#chunks.return?.();
  }
}
