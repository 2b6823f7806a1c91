// The one way in: `npm start`, `npm test` and the other scripts come here. Runs on any Node from 20 on, installs what
// the workspace needs, and goes on under the pinned Node. Plain JavaScript, no dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = path.join(root, 'node_modules/.bin');

const commands = {
  start: (args) => runNode('services/cli/bin/zegel.mjs', 'serve', ...args),
  zegel: (args) => runNode('services/cli/bin/zegel.mjs', ...args),
  test: (args) => runNode('scripts/test.mjs', ...args),
  lint: () =>
    runAll([
      ['oxlint', '--type-aware'],
      ['oxfmt', '--check', '.'],
      ['node', 'scripts/check-architecture.mjs'],
    ]),
  format: () => run('oxfmt', '.'),
  differential: (args) => runNode('tests/differential/run.ts', ...args),
  fuzz: (args) => runNode('tests/fuzz/run.ts', ...args),
  bench: (args) =>
    args[0] === 'milter' ? runNode('tests/milter/bench.ts', ...args.slice(1)) : runNode('tests/bench/run.ts', ...args),
  soak: (args) => runNode('tests/milter/soak.ts', ...args),
  conformance: () => runNode('scripts/conformance.mjs'),
  docs: () => runNode('tests/docs/write.ts'),
  typecheck: () => turbo('typecheck'),
  build: () => turbo('build'),
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) fail(`scripts/run.mjs knows: ${Object.keys(commands).join(', ')}`);
install();
process.exitCode = await command(args);

/** Installs the workspace unless what the lockfile says is already there. */
function install() {
  const wanted = readFileSync(path.join(root, 'pnpm-lock.yaml'), 'utf8');
  const installed = path.join(root, 'node_modules/.pnpm/lock.yaml');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return;
  process.stderr.write('zegel: installing what it needs from npm (once)\n');
  const { status } = spawnSync(
    'npx',
    ['--yes', packageManager(), 'install', '--prefer-offline', '--frozen-lockfile', '--reporter=append-only'],
    { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, npm_config_loglevel: 'error' } },
  );
  if (status !== 0) fail('the installation failed; the lines above say why');
}

function packageManager() {
  return JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).packageManager;
}

/** turbo wants the package manager on the path: npx puts it there. */
function turbo(task) {
  return run(
    'npx',
    '--yes',
    packageManager(),
    'exec',
    'turbo',
    'run',
    task,
    '--concurrency=2',
    '--output-logs=errors-only',
  );
}

function runNode(script, ...scriptArgs) {
  return run('node', path.join(root, script), ...scriptArgs);
}

async function runAll(list) {
  let worst = 0;
  for (const one of list) worst = Math.max(worst, await run(...one));
  return worst;
}

/** Runs a program of the workspace in the folder the user is in, passes signals on, and answers its exit status. */
function run(program, ...programArgs) {
  const inWorkspace = program === 'node' && programArgs[0]?.endsWith('zegel.mjs');
  const child = spawn(program, programArgs, {
    cwd: inWorkspace ? (process.env.INIT_CWD ?? process.cwd()) : root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${bin}${path.delimiter}${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
    },
  });
  const forward = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`zegel: ${program} cannot be started: ${error.message}\n`);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function fail(message) {
  process.stderr.write(`zegel: ${message}\n`);
  process.exit(1);
}
