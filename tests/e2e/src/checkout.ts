/** A clean checkout, as somebody has it who has just cloned the repository, on a host that has Node and npm. */
import path from 'node:path';
import { runToEnd, startProcess } from '@zegel/test-harness';
import type { TestProcess } from '@zegel/test-harness';

const root = path.resolve(import.meta.dirname, '../../..');

/** Clones what is committed, without `node_modules`. */
export async function cloneRepository(folder: string): Promise<void> {
  await runToEnd('git', ['clone', '--quiet', '--local', root, folder]);
}

/** A command in the foreground of a terminal: a process group of its own. */
export interface TerminalJob extends AsyncDisposable {
  readonly process: TestProcess;
  /** Sends SIGINT to every process of the group, as a terminal does for Ctrl-C. */
  pressCtrlC(): void;
  /** Whether any process of the group is left. */
  isRunning(): boolean;
}

/** Runs `npm` in a checkout with the host's own Node, in a clean environment. */
export async function runNpm(
  checkout: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<TerminalJob> {
  const job = await startProcess('setsid', ['npm', ...args], {
    cwd: checkout,
    env: { ...hostEnvironment(), ...env },
    // The kernel tells npm alone when the test run dies; npm passes this one on.
    orphanSignal: 'SIGTERM',
  });
  return {
    process: job,
    pressCtrlC: () => void process.kill(-job.pid, 'SIGINT'),
    isRunning: () => isRunning(-job.pid),
    async [Symbol.asyncDispose]() {
      if (isRunning(-job.pid)) process.kill(-job.pid, 'SIGKILL');
      await job.exited;
    },
  };
}

/** The environment without what this test run, its npm and its Node have put in. */
function hostEnvironment(): Record<string, string | undefined> {
  const own =
    /^(?:npm_(?:lifecycle|package|config_(?:local_)?prefix|command|execpath|node_execpath)|NODE|VITEST|TEST$|INIT_CWD$|ZEGEL_|REDIS_URL$|DATABASE_URL$|AUTHSERV_ID$)/;
  const removed = Object.keys(process.env).filter((name) => own.test(name));
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return {
    ...Object.fromEntries(removed.map((name) => [name, undefined])),
    PATH: folders.filter((folder) => !folder.includes('node_modules')).join(path.delimiter),
  };
}

/** Whether there is a process with this id, or with the negated id of a group. */
function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
