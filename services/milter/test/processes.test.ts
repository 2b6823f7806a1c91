import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair } from '@zegel/dkim';
import { startNode, temporaryFolder } from '@zegel/test-harness';
import type { ProcessExit, TestProcess } from '@zegel/test-harness';
import { describe, expect, it, vi } from 'vitest';
import { filter, mail, openSession } from './test-milter.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const hello = mail('From: Ann <ann@example.org>', 'Subject: Hi', '', 'Hello.');
const login = 'ann@example.org';
const patience = { timeout: 30_000, interval: 50 };
const { privateKey } = await generateKeyPair('ed25519-sha256');

/** The milter as a service of its own. */
interface Service extends AsyncDisposable {
  readonly process: TestProcess;
  readonly socket: string;
  readonly folder: string;
  /** Writes the configuration with this selector. */
  configure(selector: string, more?: string): void;
  ask(route: string): Promise<string>;
  /** What it signs with. */
  selector(): Promise<string | undefined>;
  stop(): Promise<ProcessExit>;
}

async function startService(processes: number): Promise<Service> {
  const folder = temporaryFolder('milter-processes');
  const socket = path.join(folder.path, 'milter.sock');
  const file = path.join(folder.path, 'zegel.yaml');
  writeFileSync(path.join(folder.path, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), {
    mode: 0o600,
  });
  const configure: Service['configure'] = (selector, more = '') => {
    writeFileSync(
      file,
      `authservId: mx.receiver.test
milter:
  listen: [{ address: "unix:${socket}", mode: both, permissions: "600" }]
  processes: ${processes}
signing:
  keys: [{ domain: example.org, selector: ${selector}, file: key.pem }]
${more}`,
    );
  };
  configure('first');
  const started = await startNode(main, [], {
    env: { ZEGEL_CONFIG: file, ZEGEL_METRICS_LISTEN: '127.0.0.1:0', ZEGEL_DATA_DIR: folder.path },
  });
  const line = await started.waitForLine(/"msg":"started"/, 110_000);
  const { metrics } = JSON.parse(line) as { metrics: string };
  return {
    process: started,
    socket,
    folder: folder.path,
    configure,
    async ask(route) {
      const response = await fetch(`http://${metrics}${route}`);
      return response.text();
    },
    async selector() {
      const client = await openSession(socket);
      const { message } = await filter(client, hello, { login });
      await client.quit();
      return /\bs=(\w+);/.exec(message)?.[1];
    },
    stop: () => started.kill('SIGTERM'),
    async [Symbol.asyncDispose]() {
      await started.kill('SIGKILL');
      folder[Symbol.dispose]();
    },
  };
}

describe.each([1, 2])('a milter of %i process(es)', (processes) => {
  it('signs, reads its configuration anew at SIGHUP, keeps the old one when the new one is wrong, and stops at SIGTERM', async () => {
    await using service = await startService(processes);
    const before = await openSession(service.socket);
    expect(await service.selector()).toBe('first');

    service.configure('second');
    process.kill(service.process.pid, 'SIGHUP');
    await vi.waitFor(async () => expect(await service.selector()).toBe('second'), patience);
    await vi.waitFor(() => {
      expect(service.process.output().split('read anew')).toHaveLength(processes + 1);
    }, patience);

    service.configure('third', 'inbound: { policy: sometimes }');
    process.kill(service.process.pid, 'SIGHUP');
    await service.process.waitForLine(/zegel\.yaml:7:\d+/);
    expect(await service.selector()).toBe('second');
    // The connection from before the reloads is none the worse for them.
    expect((await filter(before, hello, { login })).message).toMatch(/\bs=second;/);

    const metrics = await service.ask('/metrics');
    expect(metrics).toMatch(/zegel_milter_messages_total\{direction="outbound",outcome="signed"\} \d/);
    expect(metrics).toContain('zegel_milter_connections{state="open"} 1');
    expect(JSON.parse(await service.ask('/readyz'))).toMatchObject({ ready: true });
    expect(await service.stop()).toEqual({ status: 0, signal: null });
    await expect(filter(before, hello, { login })).rejects.toMatchObject({ code: 'milter.connection-lost' });
  });
});

describe('a milter of several processes', () => {
  it('starts one that dies anew, and serves on meanwhile', async () => {
    await using service = await startService(2);
    const pids = new Set<number>();
    const findPids = () => {
      for (const [, pid] of service.process.output().matchAll(/"pid":(\d+)/g)) pids.add(Number(pid));
    };
    await service.selector();
    await vi.waitFor(async () => {
      await service.selector();
      findPids();
      expect(pids.size).toBeGreaterThan(1);
    }, patience);
    pids.delete(service.process.pid);
    const [victim = 0] = pids;
    process.kill(victim, 'SIGKILL');
    await vi.waitFor(async () => {
      expect(await service.ask('/metrics')).toContain('zegel_process_restarts_total 1');
    }, patience);
    expect(await service.selector()).toBe('first');
    await vi.waitFor(
      async () => expect(JSON.parse(await service.ask('/readyz'))).toMatchObject({ ready: true }),
      patience,
    );
    expect(await service.stop()).toEqual({ status: 0, signal: null });
  });

  it('does not start when one of them cannot, and says why', async () => {
    using folder = temporaryFolder('milter-processes');
    const started = await startNode(main, [], {
      env: {
        ZEGEL_MILTER_LISTEN: `[{ address: "unix:${folder.path}/milter.sock", mode: both }]`,
        ZEGEL_MILTER_PROCESSES: '2',
        ZEGEL_SIGNING_KEYS: `[{ domain: example.org, selector: s, file: "${folder.path}/none.pem" }]`,
        ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
        ZEGEL_DATA_DIR: folder.path,
      },
    });
    expect(await started.exited).toMatchObject({ status: 1 });
    expect(started.output()).toMatch(/cannot start: config\.file-unreadable: .*none\.pem/);
  });
});
