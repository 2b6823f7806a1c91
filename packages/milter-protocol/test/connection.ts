import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { encodeCommand, FrameDecoder, fullOffer, MilterConnection, openMilter } from '../src/index.ts';
import type { ConnectionEnd, CreateHandler, FilterWishes, MilterClient, MilterLimits, Offer } from '../src/index.ts';

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** What a signing and verifying filter does. */
export const wishes: FilterWishes = { actions: ['add-header', 'change-header'] };

export interface TestOptions {
  readonly wishes?: FilterWishes;
  readonly offer?: Offer;
  readonly limits?: MilterLimits;
  readonly idleMs?: number;
  readonly commandMs?: number;
}

export interface RawConnection {
  readonly stream: Duplex;
  /** The stream at the filter's end. */
  readonly served: Duplex;
  /** The filter's end. */
  readonly connection: MilterConnection;
  readonly ended: Promise<ConnectionEnd>;
}

/** A served connection whose other end is in the hands of the test. */
export function serveRaw(createHandler: CreateHandler, options: TestOptions = {}): RawConnection {
  const [stream, served] = duplexPair();
  stream.on('error', () => {});
  const connection = new MilterConnection(served, createHandler, {
    wishes: options.wishes ?? wishes,
    idleMs: options.idleMs ?? 20_000,
    ...(options.commandMs === undefined ? {} : { commandMs: options.commandMs }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const { ended } = connection;
  // A test that is about a rejection looks at it later.
  ended.catch(() => {});
  return { stream, served, connection, ended };
}

/** Both ends, negotiated. */
export async function connectBoth(
  createHandler: CreateHandler,
  options: TestOptions = {},
): Promise<RawConnection & { readonly client: MilterClient }> {
  const raw = serveRaw(createHandler, options);
  const { stream } = raw;
  const client = await openMilter(stream, {
    timeoutMs: 20_000,
    ...(options.offer === undefined ? {} : { offer: options.offer }),
  });
  return { ...raw, client };
}

/** Connect and HELO, as every session begins. */
export async function greet(client: MilterClient): Promise<void> {
  const address = { family: 'ipv4', address: '192.0.2.1', port: 25 } as const;
  await client.step({ kind: 'connect', hostname: 'mx.example.org', client: address });
  await client.step({ kind: 'helo', name: 'mx.example.org' });
}

/** The bytes of an offer that makes any frame of a test possible. */
export const offerBytes = encodeCommand({ kind: 'negotiate', ...fullOffer, protocol: 0x1f_ffff });

/** The codes of all replies in what a filter sent. */
export function replyCodes(bytes: Uint8Array): string {
  const decoder = new FrameDecoder(() => 1024 * 1024);
  decoder.push(bytes);
  let codes = '';
  for (let found = decoder.next(); found?.ok === true; found = decoder.next()) codes += found.frame.code;
  return codes;
}

/** Sends bytes, ends the stream, and answers everything that came back. */
export async function exchange({ stream }: RawConnection, bytes: readonly Uint8Array[]): Promise<Buffer> {
  const received: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => received.push(chunk));
  const over = new Promise((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
  });
  for (const part of bytes) stream.write(part);
  stream.end();
  await over;
  return Buffer.concat(received);
}
