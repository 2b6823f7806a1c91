import { openDatabase } from '@zegel/database';
import { FileMessageStore, openInboundQueue, startInboundWorker } from '../../src/index.ts';

// A worker process that takes a message and holds it for ever; with `submit`, it also sends itself one.
const config: {
  readonly database: { readonly url: string } | { readonly folder: string };
  readonly messages: string;
  readonly redisUrl?: string;
  readonly submit?: string;
  readonly maxStalledCount?: number;
} = JSON.parse(process.argv[2] ?? '{}');

const ground = {
  database: await openDatabase(config.database),
  store: new FileMessageStore(config.messages),
  redisUrl: config.redisUrl,
};
await startInboundWorker({
  ...ground,
  lockDuration: 500,
  stalledInterval: 250,
  maxStalledCount: config.maxStalledCount,
  process: async ({ id }) => {
    process.stdout.write(`holding ${id}\n`);
    return new Promise(() => undefined);
  },
});
process.stdout.write('started\n');
if (config.submit !== undefined) {
  const queue = await openInboundQueue(ground);
  await queue.submit(Buffer.from(config.submit), { ip: '192.0.2.1' });
}
