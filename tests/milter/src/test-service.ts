import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createSigningKey } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { startNode, temporaryFolder } from '@zegel/test-harness';
import type { TestProcess } from '@zegel/test-harness';

const main = fileURLToPath(new URL('../../../services/milter/src/main.ts', import.meta.url));

export const domain = 'example.org';

/** The milter as a process of its own, on a Unix socket. It may be started again after its end. */
export interface TestService extends AsyncDisposable {
  readonly socket: string;
  readonly key: SigningKey;
  process(): TestProcess;
  start(): Promise<void>;
}

/** Makes its configuration, and starts it. `dnsServer` is `address:port`; the key signs for {@link domain}. */
export async function startTestService(
  dnsServer: string,
  privateKey: KeyObject,
  env: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const folder = temporaryFolder('milter-soak');
  const socket = path.join(folder.path, 'milter.sock');
  const file = path.join(folder.path, 'key.pem');
  writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  let running: TestProcess | null = null;
  const service: TestService = {
    socket,
    key: createSigningKey({ domain, selector: 's1', privateKey }),
    process() {
      if (running === null) throw new Error('not started');
      return running;
    },
    async start() {
      running = await startNode(main, [], {
        env: {
          AUTHSERV_ID: 'mx.receiver.test',
          ZEGEL_DATA_DIR: folder.path,
          ZEGEL_DNS_SERVERS: dnsServer,
          ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
          ZEGEL_LOG_LEVEL: 'warn',
          ZEGEL_MILTER_LISTEN: JSON.stringify([{ address: `unix:${socket}`, mode: 'both' }]),
          ZEGEL_SIGNING_KEYS: JSON.stringify([{ domain, selector: 's1', file }]),
          ...env,
        },
      });
      await untilAnswered(socket, running);
    },
    async [Symbol.asyncDispose]() {
      await running?.kill('SIGKILL');
      folder[Symbol.dispose]();
    },
  };
  await service.start();
  return service;
}

/** Waits until somebody listens: with warnings alone in the log no line says so. */
async function untilAnswered(path: string, server: TestProcess): Promise<void> {
  let hasEnded = false;
  void server.exited.then(() => (hasEnded = true));
  for (;;) {
    const probe = connect(path);
    const isOpen = await once(probe, 'connect').then(
      () => true,
      () => false,
    );
    probe.destroy();
    if (isOpen) return;
    if (hasEnded) throw new Error(`the milter ended: ${server.output()}`);
    await delay(50);
  }
}
