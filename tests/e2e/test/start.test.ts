import { statSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { freePort, patience, runToEnd, temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder } from '@zegel/test-harness';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { cloneRepository, runNpm } from '../src/checkout.ts';
import type { TerminalJob } from '../src/checkout.ts';
import { RestClient } from '../src/rest-client.ts';

/** Installing, and a first start that makes a database, on a machine that is busy with other tests. */
const startDeadline = 240_000;

let folder: TemporaryFolder;
let checkout: string;
let data: string;
let env: { readonly ZEGEL_LISTEN: string; readonly ZEGEL_METRICS_LISTEN: string };
/** The first `npm start`. */
let first: TerminalJob;
let begun = new AsyncDisposableStack();

beforeAll(async () => {
  folder = temporaryFolder('e2e-start');
  checkout = path.join(folder.path, 'zegel');
  data = path.join(checkout, '.zegel');
  env = { ZEGEL_LISTEN: `127.0.0.1:${await freePort()}`, ZEGEL_METRICS_LISTEN: `127.0.0.1:${await freePort()}` };
  await cloneRepository(checkout);
  first = await runNpm(checkout, ['start'], env);
  await untilServing(first);
});

afterEach(async () => {
  await begun.disposeAsync();
  begun = new AsyncDisposableStack();
});

afterAll(async () => {
  await first?.[Symbol.asyncDispose]();
  folder?.remove();
});

async function untilServing(job: TerminalJob): Promise<void> {
  await job.process.waitForLine(/^Ctrl-C stops it\.$/, startDeadline);
  await job.process.waitForLine(/"msg":"started"/, startDeadline);
}

/** Another `npm start` on the same checkout; it is gone when the test is. */
async function startAgain(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<TerminalJob> {
  return begun.use(await runNpm(checkout, ['start', ...args], variables));
}

/** The commands that the service has printed for a person to paste. */
function printedCommands(job: TerminalJob): string[] {
  const lines = job.process.output().split('\n');
  return lines.filter((line) => line.startsWith('  curl ')).map((line) => line.trim());
}

/** Runs a printed command as it is, in a shell somewhere else. */
function paste(command: string): Promise<string> {
  return runToEnd('sh', ['-c', command], { cwd: folder.path });
}

function accepts(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`http://${address}`);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => resolve(true)).once('error', () => resolve(false));
    socket.unref();
  });
}

async function demoKeys(): Promise<{ id: string; state: string }[]> {
  const response = await new RestClient(env.ZEGEL_LISTEN, data, '').request('/v1/domains/example.test/keys');
  expect(response.status).toBe(200);
  return JSON.parse(await response.text()).items;
}

const passed = {
  dkim: [{ result: 'pass' }, { result: 'pass' }],
  spf: { mailFrom: { result: 'pass' } },
  dmarc: { result: 'pass' },
  iprev: { result: 'pass' },
};

test('the two printed commands, pasted as they are, sign a message and verify it', async () => {
  const [sign = '', verify = '', ...more] = printedCommands(first);
  expect(more).toEqual([]);
  expect(await paste(sign)).toBe('');
  expect(JSON.parse(await paste(verify))).toMatchObject(passed);
});

test('it says where things are, and keeps them to its user', async () => {
  const output = first.process.output();
  expect(output).toContain('installing');
  for (const place of [`http://${env.ZEGEL_LISTEN}`, `http://${env.ZEGEL_METRICS_LISTEN}/metrics`, data]) {
    expect(output).toContain(place);
  }
  const tokenFile = path.join(data, 'admin-token');
  expect(output).toContain(tokenFile);
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  expect(statSync(path.join(data, 'master-key')).mode & 0o777).toBe(0o600);
  expect(statSync(data).mode & 0o777).toBe(0o700);
  const metrics = await fetch(`http://${env.ZEGEL_METRICS_LISTEN}/metrics`);
  expect(metrics.status).toBe(200);
  expect(await metrics.text()).toMatch(/^zegel_service_info\{/m);
});

test('a second process on the same data is told so in one line, not which port is taken, and the first goes on', async () => {
  const second = await startAgain(['--silent'], env);
  const { status } = await second.process.exited;
  expect(status).not.toBe(0);
  // Beside the log, which is JSON.
  const lines = second.process.output().split('\n');
  expect(lines.filter((line) => line !== '' && !line.startsWith('{'))).toEqual([
    expect.stringMatching(/^zegel: cannot start: database\.folder-in-use: .+/),
  ]);
  expect(second.process.output()).toContain(data);
  expect((await fetch(`http://${env.ZEGEL_LISTEN}/readyz`)).status).toBe(200);
});

test('Ctrl-C in a terminal stops all of it, and the next start finds its data', async () => {
  const keys = await demoKeys();
  first.pressCtrlC();
  expect(await first.process.exited).toEqual({ status: 0, signal: null });
  await vi.waitFor(() => expect(first.isRunning()).toBe(false), patience);
  expect(await accepts(env.ZEGEL_LISTEN)).toBe(false);
  expect(await accepts(env.ZEGEL_METRICS_LISTEN)).toBe(false);

  const second = await startAgain([], env);
  await untilServing(second);
  expect(second.process.output()).not.toContain('installing');
  expect(await demoKeys()).toEqual(keys);
  expect(keys.map(({ state }) => state)).toEqual(['active', 'active']);
  expect(JSON.parse(await paste(printedCommands(second)[1] ?? ''))).toMatchObject(passed);

  // And SIGINT to npm alone, as `kill -INT` sends it.
  expect(await second.process.kill('SIGINT')).toEqual({ status: 0, signal: null });
  await vi.waitFor(() => expect(second.isRunning()).toBe(false), patience);
  expect(await accepts(env.ZEGEL_LISTEN)).toBe(false);
});

test('--no-demo leaves the demo out', async () => {
  const other = path.join(folder.path, 'no-demo');
  const job = await startAgain(['--', '--no-demo', '--data', other], env);
  await untilServing(job);
  expect(printedCommands(job)).toEqual([]);
  const domains = await new RestClient(env.ZEGEL_LISTEN, other, '').request('/v1/domains');
  expect(JSON.parse(await domains.text())).toEqual({ items: [], next: null });
});
