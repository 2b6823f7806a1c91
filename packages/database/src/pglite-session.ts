import { Duplex } from 'node:stream';
import { MAX_STATEMENT_BYTES } from './limits.ts';
import type { PgliteExchange } from './pglite-exchange.ts';
import { errorFrame, frame, splitFrames } from './wire.ts';
import type { Frame } from './wire.ts';

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const PROTOCOL_3 = 196608;

/** What a server tells a client at the start. PGlite's settings are these. */
const PARAMETERS: readonly (readonly [string, string])[] = [
  ['server_version', '18.0'],
  ['server_encoding', 'UTF8'],
  ['client_encoding', 'UTF8'],
  ['DateStyle', 'ISO, MDY'],
  ['TimeZone', 'UTC'],
  ['integer_datetimes', 'on'],
  ['standard_conforming_strings', 'on'],
];

/**
 * The socket a `pg` client believes it has: it speaks the wire protocol and hands each request to PGlite. Because the
 * bytes are PostgreSQL's own, results, types, errors and notifications reach the client in exactly `pg`'s shape.
 */
export class PgliteSession extends Duplex {
  readonly #exchange: PgliteExchange;
  #started = false;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #neededBytes = 0;
  #request: Frame[] = [];

  constructor(exchange: PgliteExchange) {
    super();
    this.#exchange = exchange;
  }

  // The part of net.Socket that pg calls. There is no network under it.
  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // A network never answers inside write(), and pg relies on that.
    process.nextTick(() => {
      this.#accept(chunk);
      done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#exchange.leave(this);
    done(error);
  }

  /** Ends the session with an error response, as a server that terminates a backend does. */
  fail(error: Buffer): void {
    if (this.destroyed || this.writableEnded) return;
    this.push(error);
    this.end();
  }

  #accept(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes > MAX_STATEMENT_BYTES) {
      this.fail(errorFrame('FATAL', '54000', `a request may have ${MAX_STATEMENT_BYTES} bytes`));
    } else if (this.#pendingBytes >= this.#neededBytes) {
      this.#receive();
    }
  }

  #receive(): void {
    let bytes = this.#pending.length === 1 ? (this.#pending[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pending);
    if (!this.#started) bytes = this.#start(bytes);
    const { frames, taken, needed } = this.#started
      ? splitFrames(bytes)
      : { frames: [], taken: 0, needed: bytes.length + 1 };
    const rest = bytes.subarray(taken);
    this.#pending = rest.length === 0 ? [] : [rest];
    this.#pendingBytes = rest.length;
    this.#neededBytes = needed;
    for (const received of frames) this.#take(received);
  }

  /** Answers the start of a session, whose first frames have no type byte. Returns what follows it. */
  #start(bytes: Buffer): Buffer {
    if (bytes.length < 8) return bytes;
    const length = bytes.readUInt32BE(0);
    if (bytes.length < length) return bytes;
    const code = bytes.readUInt32BE(4);
    const rest = bytes.subarray(length);
    if (code === SSL_REQUEST || code === GSSENC_REQUEST) {
      this.push('N');
      return this.#start(rest);
    }
    if (code !== PROTOCOL_3) {
      this.fail(errorFrame('FATAL', '0A000', 'only protocol 3.0 is spoken here'));
      return Buffer.alloc(0);
    }
    this.#started = true;
    this.push(
      Buffer.concat([
        frame('R', Buffer.alloc(4)),
        ...PARAMETERS.map(([name, value]) => frame('S', name, value)),
        frame('K', Buffer.alloc(8)),
        frame('Z', Buffer.from('I')),
      ]),
    );
    return rest;
  }

  /** Collects a request: a simple query, or an extended one up to its Sync. */
  #take(received: Frame): void {
    if (received.type === 'X') {
      this.end();
      return;
    }
    this.#request.push(received);
    if (received.type !== 'Q' && received.type !== 'S') return;
    const request = this.#request;
    this.#request = [];
    this.#exchange.submit(this, request);
  }
}
