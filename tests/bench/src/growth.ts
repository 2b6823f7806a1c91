import { createBench } from '../adapter.ts';
import type { Ground } from './ground.ts';
import { message } from './messages.ts';
import type { BodyKind } from './messages.ts';
import { inProcess, race } from './race.ts';
import type { RaceOptions } from './race.ts';

/** Times of one operation on growing messages of one kind. */
export interface Growth {
  readonly kind: BodyKind;
  readonly operation: 'sign' | 'verify';
  readonly points: readonly GrowthPoint[];
}

export interface GrowthPoint {
  readonly bytes: number;
  /** Milliseconds of processor time for one message. */
  readonly milliseconds: number;
}

/** Signing and verifying from 1 kB up, a factor of ten a step. Sizes of one kind take turns. */
export async function measureGrowth(ground: Ground, largest: number, options: RaceOptions): Promise<readonly Growth[]> {
  const zegel = createBench(ground);
  const growths: Growth[] = [];
  for (const kind of ['text', 'html', 'base64'] as const) {
    const sizes: number[] = [];
    for (let size = 1_000; size <= largest; size *= 10) sizes.push(size);
    const raws = sizes.map((size) => message(ground.domain, kind, size));
    const signed = [];
    for (const raw of raws) signed.push(Buffer.concat([await zegel.sign(raw), raw]));
    for (const operation of ['sign', 'verify'] as const) {
      const works = (operation === 'sign' ? raws : signed).map((bytes) =>
        inProcess(String(bytes.length), () => zegel[operation](bytes)),
      );
      const rates = await race(works, options);
      const points = rates.map(({ rate }, at) => ({ bytes: raws[at]?.length ?? 0, milliseconds: 1000 / rate }));
      growths.push({ kind, operation, points });
    }
  }
  return growths;
}
