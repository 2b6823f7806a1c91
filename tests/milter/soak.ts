import { setTimeout as delay } from 'node:timers/promises';
import { readOptions, runSeed } from '@zegel/test-harness';
import { driveSessions } from './src/drive-sessions.ts';
import { startSoak } from './src/soak-phases.ts';

const usage = `npm run soak [-- OPTIONS]: the milter under load for long, a quarter of an hour by default. Says what it measures, and fails when
a reply is missing, a message is lost or unsigned, memory grows, or a descriptor stays open. 0 leaves a part out.

  --sessions N    random sessions, legal and not (default 100000)
  --messages N    half of them out, half in (default 200000)
  --dead SECONDS  without DNS in the middle (default 60)
  --stops N       messages under which it is ended, by SIGTERM and by SIGKILL (default 4000)`;
const values = readOptions(usage, {
  sessions: { type: 'string', default: '100000' },
  messages: { type: 'string', default: '200000' },
  dead: { type: 'string', default: '60' },
  stops: { type: 'string', default: '4000' },
});
const say = (text: string): void => console.log(`${new Date().toISOString()} ${text}`);

await using soak = await startSoak(say);
const sessions = Number(values.sessions);
if (sessions > 0) {
  const drive = (count: number, seed: string): ReturnType<typeof driveSessions> =>
    driveSessions({ path: soak.service.socket }, count, 30, seed, (done) => {
      if (done % 10_000 === 0) say(`${done} sessions driven: ${JSON.stringify(soak.measure())}`);
    });
  // Until the heap has its size.
  await drive(Math.ceil(sessions * 0.4), 'warm');
  await delay(1000);
  const before = soak.measure();
  const counts = await drive(sessions, String(runSeed()));
  say(`random sessions: ${JSON.stringify(counts)}, none with a wrong number of replies`);
  await delay(1000);
  soak.compare('random sessions', before);
}
if (Number(values.messages) > 0) await soak.messages(Number(values.messages), Number(values.dead) * 1000);
if (Number(values.stops) > 0) {
  await soak.stop('SIGTERM', Number(values.stops));
  await soak.stop('SIGKILL', Number(values.stops));
}
say('done');
