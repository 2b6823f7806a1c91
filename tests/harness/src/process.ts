/**
 * Child processes for tests: start one, wait until it says a certain line, end it in the way the test is about.
 * A child never outlives the test process: it is killed when that one exits, and by the kernel when that one is killed.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { patience } from './patience.ts';

/** How a child process ended: an exit status, or the signal that ended it. */
export interface ProcessExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to the environment of the test process; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Run as this user and group; only root can. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Sent by the kernel when the test process dies without cleaning up. Default SIGKILL. Linux only. */
  readonly orphanSignal?: 'SIGKILL' | 'SIGQUIT' | 'SIGTERM';
}

export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** Settles, always successfully, when the process has ended and all its output is collected. */
  readonly exited: Promise<ProcessExit>;
  /** Everything written so far to stdout and stderr, in the order of arrival (at most the last 4 MiB). */
  output(): string;
  /**
   * The first line of output, already written or still to come, that matches. Rejects with the collected output when
   * the process ends first, or after `timeoutMs` (default 30 s).
   */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Writes to its stdin. */
  write(data: string | Uint8Array): void;
  /** Ends its stdin, after some last data. */
  end(data?: string | Uint8Array): void;
  /** Sends a signal (default SIGTERM) and resolves when the process has ended. Harmless when it has already. */
  kill(signal?: NodeJS.Signals): Promise<ProcessExit>;
}

const maximumOutput = 4 * 1024 * 1024;
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file));

/**
 * `setpriv` (util-linux, part of every Debian) asks the kernel for a signal at the parent's death and then becomes the
 * program itself, so the process id is the program's own.
 */
function boundToParent(command: string, args: readonly string[], options: ProcessOptions): [string, string[]] {
  if (setpriv === undefined) return [command, [...args]];
  const signal = (options.orphanSignal ?? 'SIGKILL').slice('SIG'.length);
  const identity =
    options.user === undefined ? [] : [`--reuid=${options.user.uid}`, `--regid=${options.user.gid}`, '--clear-groups'];
  return [setpriv, [`--pdeathsig=${signal}`, ...identity, '--', command, ...args]];
}

/** Starts a program. Resolves when it runs; rejects when it cannot be started. */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  const [file, argv] = boundToParent(command, args, options);
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
  const child = spawn(file, argv, {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.user !== undefined && setpriv === undefined ? options.user : {}),
  });

  let collected = '';
  const watchers = new Set<() => void>();
  const lastOutput = (): string => collected.slice(-maximumOutput);
  const collect = (text: string) => {
    collected += text;
    // Cut now and then: a cut copies all of it, which a benchmark with a talkative server would feel.
    if (collected.length > 2 * maximumOutput) collected = lastOutput();
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  // A write to a process that has just died is not an event of its own: its exit is.
  child.stdin.on('error', () => {});

  let exit: ProcessExit | undefined;
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('close', (status, signal) => {
      exit = { status, signal };
      running.delete(child);
      resolve(exit);
      for (const watcher of watchers) watcher();
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  running.add(child);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command} started without a process id`);

  const kill = (signal: NodeJS.Signals = 'SIGTERM'): Promise<ProcessExit> => {
    if (exit === undefined) child.kill(signal);
    return exited;
  };
  return {
    pid,
    exited,
    output: lastOutput,
    write: (data) => void child.stdin.write(data),
    end: (data) => void (data === undefined ? child.stdin.end() : child.stdin.end(data)),
    waitForLine: (pattern, timeoutMs: number = patience.timeout) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          watchers.delete(look);
          clearTimeout(timer);
          finish();
        };
        const fail = (why: string) =>
          settle(() =>
            reject(new Error(`${path.basename(command)} ${why}, waiting for ${pattern}. It wrote:\n${lastOutput()}`)),
          );
        const look = () => {
          const line = collected.split('\n').find((candidate) => pattern.test(candidate));
          if (line !== undefined) settle(() => resolve(line.trimEnd()));
          else if (exit !== undefined) fail(`ended (status ${exit.status}, signal ${exit.signal})`);
        };
        const timer = setTimeout(() => fail(`said nothing of the kind in ${timeoutMs} ms`), timeoutMs);
        watchers.add(look);
        look();
      }),
    kill,
    [Symbol.asyncDispose]: async () => void (await kill('SIGKILL')),
  };
}

/** Runs a TypeScript or JavaScript file under the Node that runs the test. */
export function startNode(
  file: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  return startProcess(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], options);
}

/** Runs a program to its end; rejects with its output unless it exits with status 0. */
export async function runToEnd(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<string> {
  const child = await startProcess(command, args, options);
  const { status, signal } = await child.exited;
  if (status !== 0) {
    throw new Error(`${command} ended with status ${status}, signal ${signal}:\n${child.output()}`);
  }
  return child.output();
}
