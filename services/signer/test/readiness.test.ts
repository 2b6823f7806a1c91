import path from 'node:path';
import { freePort, startNode, startPostgres, temporaryFolder } from '@zegel/test-harness';
import { expect, test } from 'vitest';

test('the service is ready without Redis, and says that queue and message store are away', async () => {
  using folder = temporaryFolder('signer-ready');
  await using postgres = await startPostgres();
  await using service = await startNode(path.join(import.meta.dirname, '../src/main.ts'), [], {
    env: {
      DATABASE_URL: postgres.url,
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      ZEGEL_MESSAGE_STORE: 'redis',
      ZEGEL_DATA_DIR: folder.path,
      ZEGEL_LISTEN: '127.0.0.1:0',
      ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
    },
  });
  const [, metrics] = /"metrics":"([^"]+)"/.exec(await service.waitForLine(/"msg":"started"/)) ?? [];
  const response = await fetch(`http://${metrics}/readyz`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    ready: true,
    phase: 'started',
    checks: [
      { name: 'database', required: true, ok: true },
      { name: 'message store', required: false, ok: false, code: 'message-store.unavailable' },
      { name: 'inbound queue', required: false, ok: false, code: expect.stringMatching(/\.unavailable$/) },
    ],
  });
});
