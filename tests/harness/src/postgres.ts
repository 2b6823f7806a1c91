import { chownSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { findProgram, MissingProgramError } from './missing-program.ts';
import { runToEnd, startProcess } from './process.ts';
import type { TestProcess } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A PostgreSQL cluster of the test's own, on 127.0.0.1, superuser `postgres` without a password, nothing synced. */
export interface PostgresServer extends AsyncDisposable {
  /** Connection URL of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** The postmaster's process id; another one after a restart. */
  readonly pid: number;
  /** Creates an empty UTF-8 database and gives its connection URL. The name is taken as it is. */
  createDatabase(name: string): Promise<string>;
  /** What the server has logged since it was last started. */
  log(): string;
  /** Ends the server as a crash would (SIGQUIT: every backend dies at once, no checkpoint) and leaves its data. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data, after a kill or while it runs. Resolves when it takes connections. */
  restart(): Promise<void>;
  /** Ends the server and removes its data. Harmless when repeated. */
  stop(): Promise<void>;
}

const debianPackages = ['postgresql'];
const portAttempts = 5;

/** Debian keeps the server's programs out of PATH, in one folder a major version. The newest comes first. */
function programFolders(): string[] {
  const versions = '/usr/lib/postgresql';
  if (!existsSync(versions)) return [];
  return readdirSync(versions)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => path.join(versions, version, 'bin'));
}

/** PostgreSQL refuses to run as root: Debian's package has made a user for it. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  const [uid, gid] = [Number(entry?.[2]), Number(entry?.[3])];
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new MissingProgramError('The user "postgres" (PostgreSQL does not run as root)', debianPackages);
  }
  return { uid, gid };
}

/**
 * Starts a fresh PostgreSQL and resolves when it takes connections (about two seconds: start one a test file and
 * create a database a test). Throws MissingProgramError when PostgreSQL is not installed.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const folders = programFolders();
  const initdb = findProgram('initdb', debianPackages, folders);
  const postgres = findProgram('postgres', debianPackages, folders);
  const user = serverUser();
  const folder = temporaryFolder('postgres');
  const data = path.join(folder.path, 'data');
  const processOptions = {
    cwd: folder.path,
    env: { LC_ALL: 'C' },
    orphanSignal: 'SIGQUIT',
    ...(user === undefined ? {} : { user }),
  } as const;

  const launch = async (port: number): Promise<TestProcess> => {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: folder.path,
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      lc_messages: 'C',
      logging_collector: 'off',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const started = await startProcess(postgres, ['-D', data, ...flags], processOptions);
    await started.waitForLine(/database system is ready to accept connections/u);
    return started;
  };

  let port = 0;
  let server: TestProcess | undefined;
  try {
    if (user !== undefined) chownSync(folder.path, user.uid, user.gid);
    const init = ['-D', data, '--no-sync', '--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C'];
    await runToEnd(initdb, init, processOptions);
    for (let attempt = 1; server === undefined; attempt += 1) {
      port = await freePort();
      try {
        server = await launch(port);
      } catch (error) {
        // Another process may have taken the port between the question and the answer.
        const portTaken = error instanceof Error && error.message.includes('could not bind');
        if (!portTaken || attempt === portAttempts) throw error;
      }
    }
  } catch (error) {
    folder.remove();
    throw error;
  }

  let current = server;
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  const stop = async () => {
    await current.kill('SIGQUIT');
    folder.remove();
  };
  return {
    url: urlOf('postgres'),
    port,
    get pid() {
      return current.pid;
    },
    createDatabase: async (name) => {
      const client = new Client({ connectionString: urlOf('postgres') });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
      return urlOf(name);
    },
    log: () => current.output(),
    kill: async (signal = 'SIGQUIT') => void (await current.kill(signal)),
    restart: async () => {
      await current.kill('SIGINT');
      current = await launch(port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
