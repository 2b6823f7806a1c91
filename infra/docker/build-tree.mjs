#!/usr/bin/env node
/**
 * Builds what the image holds, with or without Docker: `node infra/docker/build-tree.mjs OUT`.
 *
 *   OUT/app    compiled packages and services in the workspace's own layout, with production dependencies only; the
 *              pinned Node is one of them: OUT/app/node_modules/.bin/node
 *   OUT/data   an empty folder, so that an image without a shell gets one with the right owner
 *
 * The workspace layout is kept (`pnpm deploy` would give each service its own copy of every package): one tree runs
 * every service, `node --conditions=compiled OUT/app/services/NAME/dist/main.js`, and pnpm fills it from the lockfile that
 * the tests ran with.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [, , outArgument] = process.argv;
if (outArgument === undefined) fail('usage: build-tree.mjs OUT');
const out = resolve(outArgument);
if (existsSync(out)) fail(`${out} exists already`);
const { packageManager } = readJson(join(root, 'package.json'));

const services = readdirSync(join(root, 'services'));
const folders = productionFolders(services.map((name) => join('services', name)));

// Not the whole workspace: what only the tests need is large.
const filters = services.map((name) => `--filter=${manifest(join('services', name)).name}`);
pnpm(
  root,
  '--filter=zegel',
  ...filters.map((filter) => `${filter}...`),
  'install',
  '--frozen-lockfile',
  '--prefer-offline',
);
pnpm(root, 'exec', 'turbo', 'run', 'build', ...filters);

const app = join(out, 'app');
for (const folder of folders) copyPackage(folder);
for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']) {
  copyFileSync(join(root, file), join(app, file));
}
pnpm(app, 'install', '--prod', '--frozen-lockfile', '--prefer-offline');
// What pnpm notes for its next run: absolute paths and times, of no use in an image.
for (const file of ['.modules.yaml', '.pnpm-workspace-state-v1.json']) {
  rmSync(join(app, 'node_modules', file), { force: true });
}

copyFileSync(join(root, 'infra/docker/health-check.mjs'), join(app, 'health-check.mjs'));
mkdirSync(join(out, 'data'));

/** The workspace folders that the given ones need at run time, themselves included, in a stable order. */
function productionFolders(start) {
  const byName = new Map();
  for (const parent of ['packages', 'services']) {
    for (const name of readdirSync(join(root, parent))) {
      const folder = join(parent, name);
      if (existsSync(join(root, folder, 'package.json'))) byName.set(manifest(folder).name, folder);
    }
  }
  const found = new Set();
  const pending = [...start];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    if (found.has(folder)) continue;
    found.add(folder);
    for (const name of Object.keys(manifest(folder).dependencies ?? {})) {
      const needed = byName.get(name);
      if (needed !== undefined) pending.push(needed);
    }
  }
  return [...found].toSorted();
}

/** Copies what the package would publish: its manifest and its `files`, without type declarations. */
function copyPackage(folder) {
  const { files = [] } = manifest(folder);
  mkdirSync(join(app, folder), { recursive: true });
  copyFileSync(join(root, folder, 'package.json'), join(app, folder, 'package.json'));
  for (const file of files) {
    cpSync(join(root, folder, file), join(app, folder, file), {
      recursive: true,
      filter: (source) => !/\.d\.ts(\.map)?$/.test(source),
    });
  }
}

function pnpm(cwd, ...args) {
  const env = { ...process.env, CI: 'true', TURBO_TELEMETRY_DISABLED: '1', npm_config_loglevel: 'error' };
  const { status } = spawnSync('npx', ['--yes', packageManager, ...args], { cwd, env, stdio: 'inherit' });
  if (status !== 0) fail(`pnpm ${args.join(' ')} failed in ${relative(root, cwd) || '.'}`);
}

function manifest(folder) {
  return readJson(join(root, folder, 'package.json'));
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function fail(message) {
  process.stderr.write(`build-tree: ${message}\n`);
  process.exit(1);
}
