/** `rival.ts mailauth|nodemailer`, forked by the benchmark, which sends the keys and then what is to be done. */
import { once } from 'node:events';
import { createGround } from '../src/ground.ts';
import type { GroundKeys } from '../src/ground.ts';
import type { Timed } from '../src/race.ts';
import { localContestant } from '../src/rival-processes.ts';
import type { Introduction, RivalRequest } from '../src/rival-processes.ts';
import { mailauthRival, nodemailerRival } from '../src/rivals.ts';

const create = { mailauth: mailauthRival, nodemailer: nodemailerRival }[process.argv[2] ?? ''];
if (create === undefined) throw new Error('usage: rival.ts mailauth|nodemailer');
const [keys] = (await once(process, 'message')) as [GroundKeys];
const contestant = localContestant(create(createGround(keys)));
const runs = new Map<number, Timed>();

process.on('message', (request: RivalRequest) => {
  void answer(request).then((result) => process.send?.(result));
});
const { name, version, operations } = contestant;
process.send?.({ name, version, operations } satisfies Introduction);

async function answer(request: RivalRequest): Promise<unknown> {
  if ('count' in request) return runs.get(request.task)?.(request.count);
  const { result, run } = await contestant.prepare(request.operation, Buffer.from(request.message));
  runs.set(request.task, run);
  return result;
}
