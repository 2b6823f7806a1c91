/**
 * Frames: a length (4 octets, big-endian, counting the code), a code of one octet, and a payload. Both directions use
 * the same form.
 */

/** One frame. The payload may be a view into the bytes that came from the network. */
export interface Frame {
  /** One US-ASCII character. */
  readonly code: string;
  readonly payload: Uint8Array;
}

/** What a decoder found: a frame, or the reason why nothing behind it can be read. */
export type FrameResult =
  | { readonly ok: true; readonly frame: Frame }
  | { readonly ok: false; readonly code: 'frame.empty' | 'frame.too-large'; readonly explanation: string };

const LENGTH_OCTETS = 4;
const HEAD_OCTETS = LENGTH_OCTETS + 1;

/** First size of the buffer for a frame that comes in pieces: nobody makes us allocate what he only announced. */
const firstCapacity = 4096;

/** A frame as bytes. The payload may come in parts. */
export function encodeFrame(code: string, ...payload: readonly Uint8Array[]): Buffer {
  let length = HEAD_OCTETS;
  for (const part of payload) length += part.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32BE(length - LENGTH_OCTETS, 0);
  bytes[LENGTH_OCTETS] = code.charCodeAt(0);
  let at = HEAD_OCTETS;
  for (const part of payload) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Finds frames in chunks of any size: {@link push} a chunk, then take {@link next} until it answers null. Time is
 * linear in the bytes; memory is one chunk and at most twice what has come of one frame.
 */
export class FrameDecoder {
  readonly #maxPayloadBytes: (code: string) => number;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #head = Buffer.alloc(HEAD_OCTETS);
  #headLength = 0;
  /** What the head announces; valid once the head is complete. */
  #code = '';
  #payloadLength = 0;
  /** What has come of a payload that is spread over chunks. */
  #partial: Buffer | null = null;
  #partialLength = 0;
  #failure: FrameResult | null = null;

  /** `maxPayloadBytes` is asked for each frame, as soon as its code is known. */
  constructor(maxPayloadBytes: (code: string) => number) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** True while the beginning of a frame waits for its rest: a connection that ends here was cut. */
  get midFrame(): boolean {
    return this.#headLength > 0;
  }

  /** Takes the next chunk, which must not change afterwards. What is left of the one before is kept. */
  push(chunk: Uint8Array): void {
    const next = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#chunk = this.#at < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#at), next]) : next;
    this.#at = 0;
  }

  /** The next complete frame, null when more bytes are needed, or a failure, which then stays. */
  next(): FrameResult | null {
    if (this.#failure !== null) return this.#failure;
    if (this.#headLength < HEAD_OCTETS && !this.#readHead()) return this.#failure;
    const payload = this.#readPayload();
    if (payload === null) return null;
    this.#headLength = 0;
    return { ok: true, frame: { code: this.#code, payload } };
  }

  #readHead(): boolean {
    // A head that is spread over chunks is rare, and copying dear.
    if (this.#headLength === 0 && this.#chunk.length - this.#at >= HEAD_OCTETS) {
      const from = this.#at;
      this.#at += HEAD_OCTETS;
      this.#headLength = HEAD_OCTETS;
      return this.#takeHead(this.#chunk, from);
    }
    const copied = this.#chunk.copy(this.#head, this.#headLength, this.#at);
    this.#at += copied;
    this.#headLength += copied;
    if (this.#headLength === LENGTH_OCTETS && this.#head.readUInt32BE(0) === 0) return this.#failEmpty();
    return this.#headLength === HEAD_OCTETS && this.#takeHead(this.#head, 0);
  }

  #failEmpty(): boolean {
    this.#failure = { ok: false, code: 'frame.empty', explanation: 'a frame of no octets' };
    return false;
  }

  #takeHead(bytes: Buffer, from: number): boolean {
    const length = bytes.readUInt32BE(from);
    if (length === 0) return this.#failEmpty();
    this.#payloadLength = length - 1;
    this.#code = String.fromCharCode(bytes[from + LENGTH_OCTETS] ?? 0);
    const allowed = this.#maxPayloadBytes(this.#code);
    if (this.#payloadLength > allowed) {
      const explanation = `a frame ${JSON.stringify(this.#code)} of ${this.#payloadLength} octets where ${allowed} are allowed`;
      this.#failure = { ok: false, code: 'frame.too-large', explanation };
      return false;
    }
    return true;
  }

  #readPayload(): Uint8Array | null {
    const missing = this.#payloadLength - this.#partialLength;
    const here = this.#chunk.subarray(this.#at, this.#at + missing);
    this.#at += here.length;
    if (this.#partial === null && here.length === missing) return here;
    this.#append(here);
    if (here.length < missing) return null;
    const payload = this.#partial?.subarray(0, this.#payloadLength) ?? here;
    this.#partial = null;
    this.#partialLength = 0;
    return payload;
  }

  #append(piece: Buffer): void {
    const length = this.#partialLength + piece.length;
    if (this.#partial === null || this.#partial.length < length) {
      const capacity = Math.min(this.#payloadLength, Math.max(firstCapacity, length, 2 * this.#partialLength));
      const grown = Buffer.allocUnsafe(capacity);
      this.#partial?.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    piece.copy(this.#partial, this.#partialLength);
    this.#partialLength = length;
  }
}
