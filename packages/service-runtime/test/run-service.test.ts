import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { exitStatus, startFailureStatus } from '../src/index.ts';

const program = fileURLToPath(new URL('fixtures/service.ts', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Run {
  readonly child: ChildProcess;
  /** The first line on standard output, written already or still to come, that matches. */
  line(pattern: RegExp): Promise<string>;
  /** Where the fixture says it serves metrics and health. */
  address(): Promise<string>;
  /** Sends a signal again and again until the process ends: signals in quick succession count as one. */
  insist(signal: NodeJS.Signals): void;
  /** Exit status and everything that was written. */
  end(): Promise<{ status: number | null; signal: string | null; out: string; err: string }>;
}

function run(fixture: string, env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], ZEGEL_METRICS_LISTEN: '127.0.0.1:0', FIXTURE: fixture, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const closed = once(child, 'close');
  return {
    child,
    async line(pattern) {
      for (;;) {
        const found = out
          .split('\n')
          .slice(0, -1)
          .find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await Promise.race([
          once(child.stdout, 'data'),
          closed.then(() => Promise.reject(new Error(`${out}\n${err}`))),
        ]);
      }
    },
    async address() {
      return (await this.line(/^serving /)).slice('serving '.length);
    },
    insist(signal) {
      const again = setInterval(() => child.kill(signal), 50);
      void closed.finally(() => clearInterval(again));
    },
    async end() {
      const [status, signal] = await closed;
      return { status, signal, out, err };
    },
  };
}

describe('runService stops', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s closes in reverse order of opening and exits 0', async (signal) => {
    const service = run('ok');
    await service.line(/^serving/);
    service.child.kill(signal);
    const { status, out, err } = await service.end();
    expect(status).toBe(0);
    expect(out.split('\n').filter((line) => line.startsWith('clos'))).toEqual([
      'closed listener',
      'closing second',
      'closed second',
      'closed first',
    ]);
    expect(err).toBe('');
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second %s exits %i without waiting', async (signal, expected) => {
    const service = run('hang-close');
    await service.line(/^serving/);
    service.child.kill('SIGTERM');
    await service.line(/^closing second/);
    service.insist(signal);
    const { status, out } = await service.end();
    expect(status).toBe(expected);
    expect(out).not.toContain('closed first');
  });

  test('Ctrl-C that arrives twice, from the terminal and through npm, is one request', async () => {
    const service = run('ok');
    await service.line(/^serving/);
    service.child.kill('SIGINT');
    service.child.kill('SIGTERM');
    const { status, out } = await service.end();
    expect(status).toBe(0);
    expect(out).toContain('closed first');
  });

  test.each(['talkative', 'talkative,throw-later'])('no line of a buffered log is lost: %s', async (fixture) => {
    const service = run(fixture);
    await service.line(/"index":0,/);
    service.child.kill('SIGTERM');
    const { out } = await service.end();
    const lines = out.split('\n').filter((line) => line.startsWith('{'));
    const indexes = lines.map((line) => JSON.parse(line).index).filter((index) => index !== undefined);
    expect(indexes).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(out).toMatch(fixture === 'talkative' ? /"msg":"stopped"/ : /nobody catches me/);
  });

  test('ends though nobody reads its buffered log any more', async () => {
    const service = run('talkative');
    await service.line(/^serving/);
    service.child.stdout?.destroy();
    service.child.kill('SIGTERM');
    // Not 0: what the fixture itself says on standard output fails too.
    expect((await service.end()).status).toBeTypeOf('number');
  });

  test('what does not close within the grace time is named, exit 70', async () => {
    const service = run('hang-close', { ZEGEL_SHUTDOWN_GRACE_MS: '100' });
    await service.line(/^serving/);
    service.child.kill('SIGTERM');
    const { status, out } = await service.end();
    expect(status).toBe(70);
    expect(out).toContain('"resource":"second"');
  });

  test('a resource that fails to close keeps no other open', async () => {
    const service = run('fail-close');
    await service.line(/^serving/);
    service.child.kill('SIGTERM');
    const { status, out } = await service.end();
    expect(status).toBe(70);
    expect(out).toContain('closed first');
  });

  test('/readyz says no during the drain delay while everything still serves', async () => {
    const service = run('ok', { ZEGEL_DRAIN_DELAY_MS: '600000' });
    const address = await service.address();
    await service.line(/"msg":"started"/);
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
    service.child.kill('SIGTERM');
    await service.line(/"msg":"stopping"/);
    expect(await (await fetch(`http://${address}/readyz`)).json()).toMatchObject({ ready: false, phase: 'draining' });
    expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
    service.insist('SIGTERM');
    expect((await service.end()).status).toBe(143);
  });

  test('a signal during the start ends it cleanly', async () => {
    const service = run('slow-start');
    await service.line(/^starting/);
    service.child.kill('SIGTERM');
    const { status, out, err } = await service.end();
    expect(status).toBe(0);
    expect(out).toContain('closed first');
    expect(err).toBe('');
  });
});

describe('runService does not start', () => {
  test('bad configuration: one line naming every variable, exit 1', async () => {
    const { status, err } = await run('ok', { ZEGEL_LISTEN: 'here', ZEGEL_MAX_QUEUED: '-1' }).end();
    expect(status).toBe(1);
    expect(err).toMatch(/^fixture: cannot start: config\.invalid: .*ZEGEL_LISTEN.*ZEGEL_MAX_QUEUED[^\n]*\n$/);
  });

  test('lost infrastructure: one line, exit 2, what was open is closed', async () => {
    const { status, err, out } = await run('lost').end();
    expect(status).toBe(2);
    expect(err).toBe('fixture: cannot start: database.unreachable: no database at 192.0.2.1\n');
    expect(out).toContain('closed first');
  });

  test('an address in use is a matter of configuration, exit 1', async () => {
    expect((await run('in-use').end()).status).toBe(1);
  });

  test('ZEGEL_LOG_LEVEL=debug adds the stack', async () => {
    const { err } = await run('lost', { ZEGEL_LOG_LEVEL: 'debug' }).end();
    expect(err).toContain('fixtures/service.ts');
  });
});

describe('runService after an error nobody caught', () => {
  test.each(['throw-later', 'reject-later'])('%s: logged, closed, exit 70', async (fixture) => {
    const { status, out } = await run(fixture).end();
    expect(status).toBe(70);
    expect(out).toMatch(/"level":"fatal".*nobody/);
    expect(out).toContain('closed first');
  });

  test('the grace time bounds the attempt to close', async () => {
    const { status, out } = await run('throw-later,hang-close', { ZEGEL_SHUTDOWN_GRACE_MS: '100' }).end();
    expect(status).toBe(70);
    expect(out).toContain('"resource":"second"');
  });
});

test('a failing check shows at /readyz by name and code', async () => {
  const service = run('not-ready');
  const address = await service.address();
  const response = await fetch(`http://${address}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({
    checks: [{ name: 'database', ok: false, code: 'database.unreachable' }],
  });
});

test.each<[string, number]>([
  ['config.invalid', exitStatus.badConfiguration],
  ['keystore.master-key-mismatch', exitStatus.badConfiguration],
  ['EACCES', exitStatus.badConfiguration],
  ['database.unavailable', exitStatus.lostInfrastructure],
  ['ECONNREFUSED', exitStatus.lostInfrastructure],
])('a start that fails with %s exits %i', (code, status) => {
  expect(startFailureStatus(Object.assign(new Error('x'), { code }))).toBe(status);
});
