import { createHash } from 'node:crypto';
import { cpus, loadavg, totalmem } from 'node:os';
import { createFloor } from './floor.ts';
import type { Ground } from './ground.ts';
import { inProcess, race } from './race.ts';

/** The machine, in words for a reader of the results. */
export function describeMachine(): string {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `Node ${process.version}, ${cpus().length} × ${processor?.model ?? 'unknown'}, ${memory} GiB, ${process.platform}`;
}

/** Load averages of one, five and fifteen minutes. */
export function load(): readonly number[] {
  return loadavg().map((value) => Math.round(value * 10) / 10);
}

/** How fast this machine does what the floor is made of; measured before and after, it shows a noisy run. */
export interface Calibration {
  /** Megabytes of SHA-256 per second of processor time. */
  readonly sha256: number;
  /** RSA-2048 operations per second of processor time. */
  readonly rsaSign: number;
  readonly rsaVerify: number;
}

export async function calibrate(ground: Ground): Promise<Calibration> {
  const megabyte = Buffer.alloc(1_000_000, 'zegel');
  const nothing = Buffer.alloc(0);
  const floor = createFloor(ground.rsaKey);
  const rates = await race(
    [
      inProcess('sha256', () => createHash('sha256').update(megabyte).digest()),
      inProcess('sign', () => floor.sign(nothing)),
      inProcess('verify', () => floor.verify(nothing)),
    ],
    { rounds: 5, sampleSeconds: 0.1 },
  );
  const [sha256 = 0, rsaSign = 0, rsaVerify = 0] = rates.map(({ rate }) => Math.round(rate));
  return { sha256, rsaSign, rsaVerify };
}
