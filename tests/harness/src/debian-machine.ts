/**
 * A machine of the test's own for a program that wants one: the host's `/usr` with unpacked Debian packages laid over it, and
 * an `/etc`, `/run` and `/var` that nobody else sees. Namespaces, no virtual machine: the network is the host's, and root is
 * needed.
 */
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MissingProgramError } from './missing-program.ts';
import { startProcess } from './process.ts';
import type { TestProcess } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Where scripts/unpacked-packages.mjs unpacks. */
const unpacked = fileURLToPath(new URL('../../../node_modules/.cache/debian', import.meta.url));

/** What is private; the rest is the host's. */
const privateFolders = ['etc', 'run', 'var'];

/** Files of the host's /etc that programs cannot do without. */
const hostFiles = ['ld.so.cache', 'services', 'protocols'];

export interface DebianMachineOptions {
  /** Names of unpacked Debian packages. */
  readonly packages: readonly string[];
  /** Its fully qualified name, which is also that of 127.0.0.1. */
  readonly hostname: string;
  /** Users and groups of the packages, by name; each user has the group of its name. root and nobody are there already. */
  readonly users: Readonly<Record<string, number>>;
}

export interface DebianMachine extends AsyncDisposable {
  /** Where a file of the machine lies on the host. */
  path(inside: string): string;
  /** Writes a file in /etc, /run or /var and makes the folders above it. */
  write(inside: string, content: string | Uint8Array): void;
  read(inside: string): string;
  /** A file of an unpacked package, as text. */
  packaged(name: string, inside: string): string;
  /** Makes a folder; owner and mode (default 0755) are for the last one of the path. */
  makeFolder(inside: string, owner?: { readonly uid: number; readonly gid: number }, mode?: number): void;
  /** Starts a program. With it ends everything it has started, whatever it does to get away. */
  start(command: string, args?: readonly string[]): Promise<TestProcess>;
  /** Runs a program to its end and answers its output; rejects with it unless the exit status is 0. */
  run(command: string, args?: readonly string[], input?: string | Uint8Array): Promise<string>;
  /** Ends all its programs and removes its files. */
  stop(): Promise<void>;
}

/** The first process stays to be the parent: without it the kernel ends all others of the namespace. */
const script = `
mount -t overlay overlay -o "lowerdir=$1" /usr &&
for name in ${privateFolders.join(' ')}; do mount --bind "$2/$name" "/$name" || exit; done &&
hostname "$3" && shift 3 && { "$@"; exit $?; }`;

/** Makes a machine; nothing runs on it yet. Throws MissingProgramError when a package is not unpacked. */
export function createDebianMachine({ packages, hostname, users }: DebianMachineOptions): DebianMachine {
  for (const name of packages) if (!existsSync(path.join(unpacked, name))) throw new MissingProgramError(name, [name]);
  const folder = temporaryFolder('machine');
  const inHost = (inside: string): string => path.join(folder.path, inside);
  const write = (inside: string, content: string | Uint8Array): void => {
    mkdirSync(path.dirname(inHost(inside)), { recursive: true });
    writeFileSync(inHost(inside), content);
  };
  for (const name of privateFolders) mkdirSync(inHost(name));
  for (const name of hostFiles) copyFileSync(path.join('/etc', name), inHost(path.join('etc', name)));
  const everyone = Object.entries({ root: 0, nobody: 65_534, ...users });
  write('etc/passwd', everyone.map(([name, id]) => `${name}:x:${id}:${id}::/:/usr/sbin/nologin\n`).join(''));
  write('etc/group', everyone.map(([name, id]) => `${name}:x:${id}:\n`).join(''));
  write('etc/hosts', `127.0.0.1 ${hostname} ${hostname.split('.')[0]} localhost\n`);
  write('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\nservices: files\n');
  write('etc/resolv.conf', '');

  const layers = [...packages.map((name) => path.join(unpacked, name, 'usr')), '/usr'].join(':');
  const namespaces = ['--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const programs = new Set<TestProcess>();
  const start = async (command: string, args: readonly string[] = []): Promise<TestProcess> => {
    const inner = ['sh', '-c', script, 'sh', layers, folder.path, hostname, command, ...args];
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
    const program = await startProcess('unshare', [...namespaces, ...inner], { env });
    programs.add(program);
    void program.exited.then(() => programs.delete(program));
    return program;
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...programs].map((program) => program.kill('SIGKILL')));
    folder.remove();
  };
  return {
    path: inHost,
    write,
    read: (inside) => readFileSync(inHost(inside), 'utf8'),
    packaged: (name, inside) => readFileSync(path.join(unpacked, name, inside), 'utf8'),
    makeFolder: (inside, owner, mode = 0o755) => {
      mkdirSync(inHost(inside), { recursive: true });
      if (owner !== undefined) chownSync(inHost(inside), owner.uid, owner.gid);
      chmodSync(inHost(inside), mode);
    },
    start,
    run: async (command, args, input) => {
      const program = await start(command, args);
      program.end(input);
      const { status, signal } = await program.exited;
      if (status === 0) return program.output();
      throw new Error(`${command} ended with status ${status}, signal ${signal}:\n${program.output()}`);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
