#!/usr/bin/env node
// The `zegel` command. Plain JavaScript, so that it starts on any Node from 20 on: an older Node than the code wants is
// replaced by the one that comes with the package.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants, homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNewEnough = major > 22 || (major === 22 && minor >= 19);

if (isNewEnough) await start();
else replaceNode();

/** The sources in a checkout, compiled code in a package. */
async function start() {
  keepCompiledCode();
  const source = new URL('../src/main.ts', import.meta.url);
  const { main } = await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
  await main(process.argv.slice(2));
}

/**
 * Most of the time of a small command goes into reading its own code: what Node makes of it is kept, in the user's own
 * cache, which nobody else can write. NODE_COMPILE_CACHE names another place; NODE_DISABLE_COMPILE_CACHE=1 forbids it.
 */
function keepCompiledCode() {
  const folder = process.env.NODE_COMPILE_CACHE || userCache();
  if (folder !== null) module.enableCompileCache(folder);
}

/** Null for a user without a home, as in a container: there is no place that is theirs alone. */
function userCache() {
  try {
    return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'zegel');
  } catch {
    return null;
  }
}

function replaceNode() {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(`zegel: this is Node ${process.versions.node}; 22.19 or later is needed\n`);
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`zegel: cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function findNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const places = [import.meta.url, new URL('../../../package.json', import.meta.url).href];
  for (const place of places) {
    try {
      return path.join(path.dirname(createRequire(place).resolve(`${name}/package.json`)), 'bin/node');
    } catch {
      // Not there: look further.
    }
  }
  return undefined;
}
