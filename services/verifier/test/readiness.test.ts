import path from 'node:path';
import { patience, startNode, startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import { expect, test, vi } from 'vitest';

const checks = (queue: object) => [
  { name: 'database', required: true, ok: true },
  { name: 'message store', required: false, ok: true },
  { name: 'inbound queue', required: true, ...queue },
];

test('a worker is ready only while it can reach its queue', async () => {
  using folder = temporaryFolder('verifier-ready');
  await using postgres = await startPostgres();
  await using redis = await startRedis();
  await using service = await startNode(path.join(import.meta.dirname, '../src/main.ts'), [], {
    env: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      ZEGEL_MESSAGE_STORE: 'file',
      ZEGEL_DATA_DIR: folder.path,
      ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
    },
  });
  const [, metrics] = /"metrics":"([^"]+)"/.exec(await service.waitForLine(/"msg":"started"/)) ?? [];
  const readiness = async () => {
    const response = await fetch(`http://${metrics}/readyz`);
    return { status: response.status, checks: JSON.parse(await response.text()).checks };
  };
  await vi.waitFor(
    async () => expect(await readiness()).toEqual({ status: 200, checks: checks({ ok: true }) }),
    patience,
  );
  await redis.kill();
  await vi.waitFor(
    async () =>
      expect(await readiness()).toEqual({ status: 503, checks: checks({ ok: false, code: 'queue.unavailable' }) }),
    patience,
  );
});
