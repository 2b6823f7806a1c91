import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Ground } from './ground.ts';
import { heard } from './heard.ts';

/** What a memory process is told. */
export type GivenGround = Pick<Ground, 'domain' | 'selector' | 'privateKeyPem' | 'spf' | 'texts'>;

export interface MemoryReport {
  /** Megabytes of the message that was streamed. */
  readonly megabytes: number;
  /** Bytes that streaming it added to the resident memory. */
  readonly signAdds: number;
  readonly verifyAdds: number;
  readonly verifications: number;
  /** Resident bytes at twenty places along them. */
  readonly resident: readonly number[];
}

/**
 * The size that V8 lets the young generation grow to. It does so by steps, minutes apart, which would be all that the
 * resident memory of a long run shows; so it has that size from the beginning.
 */
const youngGeneration = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

const program = path.join(import.meta.dirname, '../programs/memory.ts');

export async function measureMemory(
  ground: Ground,
  { megabytes, verifications }: { readonly megabytes: number; readonly verifications: number },
): Promise<MemoryReport> {
  const adds = async (what: string): Promise<number> => {
    const { beforeBytes, peakBytes } = await run<{ beforeBytes: number; peakBytes: number }>(ground, what, megabytes);
    return peakBytes - beforeBytes;
  };
  const signAdds = await adds('stream-sign');
  const verifyAdds = await adds('stream-verify');
  const resident = await run<readonly number[]>(ground, 'verifications', verifications);
  return { megabytes, signAdds, verifyAdds, verifications, resident };
}

/** How far the resident memory is from its own mean at most, as a share, once the first fifth is past. */
export function residentSpread(resident: readonly number[]): number {
  const after = resident.slice(Math.floor(resident.length / 5));
  const mean = after.reduce((sum, bytes) => sum + bytes, 0) / after.length;
  return Math.max(...after.map((bytes) => Math.abs(bytes - mean))) / mean;
}

async function run<Answer>(ground: Ground, what: string, amount: number): Promise<Answer> {
  const child = fork(program, [what, String(amount)], { execArgv: [...youngGeneration] });
  const { domain, selector, privateKeyPem, spf, texts } = ground;
  child.send({ domain, selector, privateKeyPem, spf, texts } satisfies GivenGround);
  const ended = once(child, 'exit');
  const answer = await heard<Answer>(child, `The memory process for ${what}`);
  await ended;
  return answer;
}
