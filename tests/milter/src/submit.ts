import type { MessageOutcome, MilterClient } from '@zegel/milter-protocol';
import { openSession, sendOne } from './load-client.ts';
import type { LoadOptions } from './load-client.ts';

export interface Submission {
  /** Messages that were answered. */
  readonly accepted: number;
  /** Attempts in which the milter was gone: an MTA answers its client 4xx, and the client comes again. */
  readonly interrupted: number;
  /** Connections that we cut in the middle of a message. */
  readonly disconnects: number;
  /** Milliseconds from MAIL to the answer, sorted. */
  readonly latencies: readonly number[];
}

export interface SubmitOptions extends Omit<LoadOptions, 'raw' | 'sender'> {
  raw(index: number): Uint8Array;
  sender(index: number): string;
  /** One message in so many is begun and cut off before it is sent whole. 0 for none. */
  readonly disconnectOneIn: number;
  /** Milliseconds before a message comes again that met no milter. */
  readonly retryMs?: number;
  /** Told after each message. */
  onProgress?(accepted: number): void;
}

/** Submits messages as a mail server does: one that meets no milter comes again until it is accepted. */
export async function submit(options: SubmitOptions): Promise<Submission> {
  const latencies: number[] = [];
  let [next, accepted, interrupted, disconnects] = [0, 0, 0, 0];
  const drive = async (): Promise<void> => {
    let client: MilterClient | null = null;
    let used = 0;
    while (next < options.messages) {
      const index = next++;
      for (;;) {
        try {
          const one = { ...options, raw: options.raw(index), sender: options.sender(index) };
          client ??= await openSession(one);
          if (options.disconnectOneIn > 0 && index % options.disconnectOneIn === 0) {
            await cutOff(client, one);
            disconnects++;
            client = await openSession(one);
            used = 0;
          }
          const at = performance.now();
          const outcome: MessageOutcome = await sendOne(client, one);
          latencies.push(performance.now() - at);
          options.check?.(outcome);
          accepted++;
          break;
        } catch (error) {
          if (!isInterruption(error)) throw error;
          interrupted++;
          client = null;
          await new Promise((resolve) => setTimeout(resolve, options.retryMs ?? 100));
        }
      }
      options.onProgress?.(accepted);
      if (++used === options.perConnection) {
        await client?.quit().catch(() => {});
        client = null;
        used = 0;
      }
    }
    await client?.quit().catch(() => {});
  };
  await Promise.all(Array.from({ length: options.connections }, drive));
  return { accepted, interrupted, disconnects, latencies: latencies.toSorted((one, other) => one - other) };
}

/** Begins a message and leaves in the middle of it. */
async function cutOff(client: MilterClient, { sender, raw }: LoadOptions): Promise<void> {
  await client.step({ kind: 'mail', address: `<${sender}>`, parameters: [] });
  await client.step({ kind: 'header', name: Buffer.from('X'), value: Buffer.alloc(60_000, 'x') });
  if (raw.length % 2 === 0) await client.step({ kind: 'end-of-header' });
  await client.leave();
}

/** The milter is not there, or went away: no message is lost by it. */
function isInterruption(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && gone.has(error.code);
}

const gone: ReadonlySet<string> = new Set(['milter.connection-lost', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE']);
