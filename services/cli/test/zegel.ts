import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The launcher, as a shell would start it. */
export const launcher = fileURLToPath(new URL('../bin/zegel.mjs', import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node than the one that runs the test. */
  readonly node?: string;
}

/** Node keeps what it compiled here, so that a hundred short commands do not compile the same sources a hundred times. */
export const compileCache = path.join(tmpdir(), `zegel-test-compile-cache-${process.getuid?.() ?? 0}`);

/** Runs `zegel` with these arguments to its end. Its environment holds PATH and HOME and what is given. */
export function zegel(args: readonly string[], { stdin = '', cwd, env, node }: RunOptions = {}): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const child = spawn(node ?? process.execPath, [launcher, ...args], {
    env: { PATH, HOME, NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // A command that refuses its call does not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout: Buffer.concat(stdout), stderr }));
  });
}
