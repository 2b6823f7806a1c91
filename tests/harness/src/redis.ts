import { connect } from 'node:net';
import { freePort } from './free-port.ts';
import { findProgram } from './missing-program.ts';
import { startProcess } from './process.ts';
import type { TestProcess } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface RedisOptions {
  /** Keep an append-only file, synced at every write, so that `kill` and `restart` lose nothing. Default false. */
  readonly appendOnly?: boolean;
  /** Further lines of redis.conf, for example `{ 'maxmemory': '8mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A redis-server of the test's own, on 127.0.0.1, with `maxmemory-policy noeviction` as the queue demands. */
export interface RedisServer extends AsyncDisposable {
  /** `redis://127.0.0.1:port`, the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** The process id; another one after a restart. */
  readonly pid: number;
  /** What the server has logged since it was last started. */
  log(): string;
  /** Ends the process and leaves its data, as a crash (SIGKILL, the default) or a shutdown (SIGTERM) would. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data, after a kill or while it runs. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends the process and removes its data. Harmless when repeated. */
  stop(): Promise<void>;
}

const debianPackages = ['redis-server'];
const portAttempts = 5;

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(5000, () => socket.destroy());
    socket.once('data', (reply) => {
      resolve(reply.toString('latin1').startsWith('+PONG'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** Starts a redis-server and resolves when it answers PING. Throws MissingProgramError when Redis is not installed. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = findProgram('redis-server', debianPackages, ['/usr/bin']);
  const folder = temporaryFolder('redis');
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    dir: folder.path,
    save: '',
    appendonly: options.appendOnly === true ? 'yes' : 'no',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    ...options.settings,
  };
  const launch = async (port: number): Promise<TestProcess> => {
    const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [`--${name}`, value]);
    const started = await startProcess(program, flags, { cwd: folder.path });
    await started.waitForLine(/ready to accept connections/iu);
    if (!(await answersPing(port))) throw new Error(`redis-server does not answer PING:\n${started.output()}`);
    return started;
  };

  let port = await freePort();
  let server: TestProcess | undefined;
  for (let attempt = 1; server === undefined; attempt += 1) {
    try {
      server = await launch(port);
    } catch (error) {
      // Another process may have taken the port between the question and the answer.
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!portTaken || attempt === portAttempts) {
        folder.remove();
        throw error;
      }
      port = await freePort();
    }
  }
  let current = server;
  const stop = async () => {
    await current.kill('SIGKILL');
    folder.remove();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return current.pid;
    },
    log: () => current.output(),
    kill: async (signal = 'SIGKILL') => void (await current.kill(signal)),
    restart: async () => {
      await current.kill('SIGTERM');
      current = await launch(port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
