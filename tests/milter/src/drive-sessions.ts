import { once } from 'node:events';
import { connect } from 'node:net';
import type { NetConnectOpts } from 'node:net';
import { decodeReply, encodeCommand, FrameDecoder, fullOffer, readAgreement } from '@zegel/milter-protocol';
import type { Agreement, Offer } from '@zegel/milter-protocol';
import { seededRandom } from '@zegel/test-harness';
import { randomSession } from './random-session.ts';

/** As Postfix offers it, and an MTA that offers nothing: every step is answered then. */
const offers: readonly [Offer, Offer] = [
  { ...fullOffer, protocol: 0x1f_ffff },
  { ...fullOffer, protocol: 0 },
];

export interface SessionCounts {
  readonly legal: number;
  readonly illegal: number;
  readonly cut: number;
  readonly replies: number;
}

/**
 * Drives random sessions against a milter, `connections` at one time. Rejects with the seed when one of them gets another
 * number of replies than it must, or is not closed.
 */
export async function driveSessions(
  target: NetConnectOpts,
  sessions: number,
  connections: number,
  seed: string,
  onProgress: (done: number) => void = () => {},
): Promise<SessionCounts> {
  const counts = { legal: 0, illegal: 0, cut: 0, replies: 0 };
  let next = 0;
  let done = 0;
  const drive = async (): Promise<void> => {
    while (next < sessions) {
      const session = `${seed}/${next++}`;
      await driveOne(target, session, counts).catch((cause: unknown) => {
        throw new Error(`session ${session}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: connections }, drive));
  return counts;
}

type Counts = { -readonly [Key in keyof SessionCounts]: SessionCounts[Key] };

async function driveOne(target: NetConnectOpts, seed: string, counts: Counts): Promise<void> {
  const random = seededRandom(seed);
  const socket = connect(target);
  const decoder = new FrameDecoder(() => 1024 * 1024);
  const codes: string[] = [];
  const negotiated = Promise.withResolvers<Agreement>();
  const closed = once(socket, 'close');
  closed.catch(() => {});
  negotiated.promise.catch(() => {});
  socket.on('error', (error) => negotiated.reject(error));
  socket.on('close', () => negotiated.reject(new Error('closed before the negotiation was over')));
  socket.on('data', (chunk: Buffer) => {
    decoder.push(chunk);
    for (let found = decoder.next(); found !== null; found = decoder.next()) {
      if (!found.ok) throw new Error(found.explanation);
      const decoded = decodeReply(found.frame);
      if (!decoded.ok) throw new Error(decoded.explanation);
      const { reply } = decoded;
      if (reply.kind === 'negotiate') negotiated.resolve(readAgreement(reply));
      else codes.push(found.frame.code);
    }
  });
  socket.setTimeout(120_000, () => socket.destroy(new Error('not closed')));
  socket.write(encodeCommand({ kind: 'negotiate', ...random.pick(offers) }));
  const session = randomSession(random, await negotiated.promise);
  // In pieces of any size, as a network would bring them.
  for (let at = 0; at < session.bytes.length;) {
    const end = random.chance(3) ? at + random.between(1, 20) : session.bytes.length;
    socket.write(session.bytes.subarray(at, end));
    at = end;
  }
  if (session.isCut) {
    socket.destroy();
    await closed;
    counts.cut++;
    return;
  }
  await closed;
  // Progress, skipped body parts and changes are no verdicts; skip answers a part of the body in place of continue.
  const verdicts = codes.filter((code) => 'cadrty4fs'.includes(code)).length;
  if (verdicts !== session.replies) {
    throw new Error(`${verdicts} replies (${codes.join('')}) where ${session.replies} belong`);
  }
  counts.replies += verdicts;
  counts[session.isIllegal ? 'illegal' : 'legal']++;
}
