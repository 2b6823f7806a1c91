import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { encodeFrame, openMilter } from '@zegel/milter-protocol';
import { startProcess, temporaryFolder } from '@zegel/test-harness';
import { describe, expect, it, vi } from 'vitest';
import { filter, mail, openSession, startTestMilter } from './test-milter.ts';

const hello = mail('From: Ann <ann@example.org>', 'Subject: Hi', '', 'Hello.');
const login = 'ann@example.org';
const patience = { timeout: 10_000, interval: 5 };

describe('listeners', () => {
  it('have a mode each, on a port and on sockets', async () => {
    using folder = temporaryFolder('listeners');
    const listen = [
      { address: { path: path.join(folder.path, 'sign') }, mode: 'sign', permissions: 0o620 },
      { address: { path: path.join(folder.path, 'verify') }, mode: 'verify' },
      { address: { host: '127.0.0.1', port: 0 }, mode: 'both' },
    ] as const;
    await using milter = await startTestMilter({ settings: { listen } });
    const results: (string | undefined)[] = [];
    for (const { address } of milter.milter.listeners) {
      const target = address.startsWith('unix:')
        ? { path: address.slice('unix:'.length) }
        : { host: '127.0.0.1', port: Number(address.split(':').at(-1)) };
      const client = await openMilter(connect(target), { timeoutMs: 20_000 });
      await client.step({ kind: 'connect', hostname: 'h', client: { family: 'ipv4', address: '127.0.0.1', port: 1 } });
      const { message } = await filter(client, hello);
      results.push(/^[^:]+/.exec(message)?.[0]);
      await client.quit();
    }
    expect(results).toEqual(['DKIM-Signature', 'Authentication-Results', 'DKIM-Signature']);
    expect(statSync(listen[0].address.path).mode & 0o777).toBe(0o620);
    await milter.stop();
    expect(existsSync(listen[0].address.path)).toBe(false);
  });

  it('take over the socket file of a dead process, and of nobody else', async () => {
    using folder = temporaryFolder('listeners');
    const file = path.join(folder.path, 'milter.sock');
    const settings = { listen: [{ address: { path: file }, mode: 'both' }] } as const;
    const dying = await startProcess(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(file)}, () => console.log('listens'))`,
    ]);
    await dying.waitForLine(/listens/);
    await expect(startTestMilter({ settings })).rejects.toMatchObject({ code: 'milter.socket-in-use' });
    await dying.kill('SIGKILL');
    expect(existsSync(file)).toBe(true);
    await using milter = await startTestMilter({ settings });
    const client = await openSession(file);
    expect((await filter(client, hello)).verdict).toEqual({ kind: 'continue' });
    await client.quit();

    const plain = path.join(folder.path, 'plain');
    writeFileSync(plain, 'x');
    await expect(
      startTestMilter({ settings: { listen: [{ address: { path: plain }, mode: 'both' }] } }),
    ).rejects.toMatchObject({ code: 'milter.not-a-socket' });
    expect(existsSync(plain)).toBe(true);
    expect(milter.milter.listeners).toHaveLength(1);
  });

  it('that cannot all be opened leave none behind', async () => {
    using folder = temporaryFolder('listeners');
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const file = path.join(folder.path, 'milter.sock');
    const listen = [
      { address: { path: file }, mode: 'both' },
      { address: { host: '127.0.0.1', port }, mode: 'both' },
    ] as const;
    await expect(startTestMilter({ settings: { listen } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(file)).toBe(false);
    taken.close();
  });
});

describe('connections', () => {
  it('beyond the places wait for one, and are served then', async () => {
    await using milter = await startTestMilter({ settings: { maxConnections: 2 } });
    const [first, second] = await Promise.all([openSession(milter.socket), openSession(milter.socket)]);
    let isServed = false;
    const third = openSession(milter.socket).finally(() => (isServed = true));
    await vi.waitFor(async () => {
      expect(await milter.metrics()).toContain('zegel_milter_connections{state="waiting"} 1');
    }, patience);
    expect(isServed).toBe(false);
    await filter(second, hello);
    await first.quit();
    const client = await third;
    expect((await filter(client, hello)).verdict).toEqual({ kind: 'continue' });
    await Promise.all([second.quit(), client.quit()]);
    await vi.waitFor(async () => {
      const metrics = await milter.metrics();
      expect(metrics).toContain('zegel_milter_connections{state="open"} 0');
      expect(metrics).toContain('zegel_milter_connections{state="waiting"} 0');
    }, patience);
  });

  it('over which something else comes are closed and counted, and no other connection hears of it', async () => {
    await using milter = await startTestMilter();
    const client = await openSession(milter.socket);
    const stranger = connect(milter.socket);
    stranger.end(encodeFrame('Z', Buffer.alloc(0)));
    await once(stranger.resume(), 'close');
    expect((await filter(client, hello)).verdict).toEqual({ kind: 'continue' });
    await client.quit();
    expect(await milter.metrics()).toContain('zegel_milter_protocol_errors_total{code="command.unknown"} 1');
    expect(milter.log()).toContainEqual(expect.objectContaining({ level: 'warn', code: 'command.unknown' }));
  });

  it('end at a stop when their message is answered, and at once between messages', async () => {
    let sign: (() => void) | undefined;
    const signing = {
      keySource: {
        activeKeys: () =>
          new Promise<null>((resolve) => {
            sign = () => resolve(null);
          }),
      },
    };
    await using milter = await startTestMilter({ rules: { signing } });
    const idle = await openSession(milter.socket);
    const busy = await openSession(milter.socket);
    const answer = filter(busy, hello, { login });
    await vi.waitFor(() => expect(sign).toBeDefined(), patience);
    const stopped = milter.stop();
    await expect(filter(idle, hello)).rejects.toMatchObject({ code: 'milter.connection-lost' });
    await expect(openSession(milter.socket)).rejects.toMatchObject({ code: 'milter.connection-lost' });
    sign?.();
    expect((await answer).verdict).toMatchObject({ code: 451, enhanced: '4.7.5' });
    await stopped;
    await expect(filter(busy, hello)).rejects.toMatchObject({ code: 'milter.connection-lost' });
  });
});

describe('an answer that takes long', () => {
  it('is announced, and given up at the time limit', async () => {
    const keySource = { activeKeys: () => new Promise<null>(() => {}) };
    await using milter = await startTestMilter({
      rules: { signing: { keySource } },
      settings: { answerLimits: { progressMs: 20, answerMs: 200 } },
    });
    const client = await openMilter(connect(milter.socket), { timeoutMs: 150 });
    await client.step({ kind: 'connect', hostname: 'h', client: { family: 'ipv4', address: '127.0.0.1', port: 1 } });
    expect((await filter(client, hello, { login })).verdict).toMatchObject({ code: 451, enhanced: '4.3.0' });
    await client.quit();
    expect(milter.log()).toContainEqual(
      expect.objectContaining({ outcome: 'deferred', code: 'milter.answer-deadline' }),
    );
  });
});
