import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import type { Server } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FolderInUseError, FolderUnusableError } from './errors.ts';
import { HOLDER_ANSWER_TIMEOUT, LOCK_ATTEMPTS, MAX_SOCKET_PATH } from './limits.ts';

/** A data folder that this process has to itself until `release()` or until it dies. */
export interface FolderLock {
  /** Absolute path. */
  readonly folder: string;
  /** Gives the folder free. May be called again. */
  release(): Promise<void>;
}

// The lock is a listening socket named zegel.<number>.lock: the kernel stops listening the moment a process dies, so a
// left-over socket refuses connections and proves its owner dead. Removing such a left-over by its name would let two
// starters remove each other's, so a name is never taken over: the folder belongs to the live socket with the highest
// number, a starter that finds the highest one dead makes the next (an exclusive link, which only one can win), and only
// then removes the lower ones. The socket listens before it is linked, so that one that refuses is never just young.
const LOCK_NAME = /^zegel\.([0-9]{1,15})\.lock$/;
const STARTING_NAME = /^zegel\.starting-[0-9a-f]{16}$/;

const nameOf = (number: number): string => `zegel.${number}.lock`;

/**
 * Takes a data folder for this process, making it (mode 0700) when it does not exist.
 *
 * @throws FolderInUseError (`database.folder-in-use`) when a live process has it, this one included.
 * @throws FolderUnusableError (`database.folder-unusable`) when it cannot be made or written to.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const absolute = resolve(folder);
  const directory = await openFolder(absolute);
  const starting = `zegel.starting-${randomBytes(8).toString('hex')}`;
  const server = answerWithPid();
  try {
    await listen(server, directory.socketPath(starting));
    await claim(absolute, directory, starting);
  } catch (error) {
    await closeServer(server);
    await rm(join(absolute, starting), { force: true }).catch(() => undefined);
    await directory.close();
    throw error instanceof FolderInUseError || error instanceof FolderUnusableError
      ? error
      : new FolderUnusableError(absolute, reasonOf(error), { cause: error });
  }
  let released: Promise<void> | undefined;
  return {
    folder: absolute,
    // The last lock file stays: its number tells the next starter which one comes after it.
    release: () => (released ??= closeServer(server).then(() => directory.close())),
  };
}

interface Directory {
  socketPath(name: string): string;
  close(): Promise<void>;
}

async function openFolder(absolute: string): Promise<Directory> {
  try {
    await mkdir(absolute, { recursive: true, mode: 0o700 });
    const handle = await open(absolute, 'r');
    const direct = Buffer.byteLength(join(absolute, nameOf(Number.MAX_SAFE_INTEGER))) <= MAX_SOCKET_PATH;
    if (!direct && process.platform !== 'linux') {
      await handle.close();
      throw new FolderUnusableError(absolute, `its path is too long for a socket (${MAX_SOCKET_PATH} bytes)`);
    }
    return {
      // A long path is reached through the open directory: /proc/self/fd/<n> is short however deep the folder lies.
      socketPath: (name) => (direct ? join(absolute, name) : `/proc/self/fd/${handle.fd}/${name}`),
      close: () => handle.close(),
    };
  } catch (error) {
    if (error instanceof FolderUnusableError) throw error;
    throw new FolderUnusableError(absolute, reasonOf(error), { cause: error });
  }
}

/** Gives the listening socket the next number, unless the highest one is alive. */
async function claim(absolute: string, directory: Directory, starting: string): Promise<void> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
    const highest = await highestNumber(absolute);
    if (highest > 0) {
      const holder = await askHolder(directory.socketPath(nameOf(highest)));
      if (holder !== 'dead') throw new FolderInUseError(absolute, holder.pid);
    }
    const mine = highest + 1;
    try {
      await link(join(absolute, starting), join(absolute, nameOf(mine)));
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      throw error;
    }
    // The number may have been freed by a starter that went past it since we looked.
    if ((await highestNumber(absolute)) > mine) {
      await rm(join(absolute, nameOf(mine)), { force: true });
      continue;
    }
    await rm(join(absolute, starting), { force: true });
    await removeLeftOvers(absolute, directory, mine);
    return;
  }
  throw new FolderInUseError(absolute, null);
}

async function highestNumber(absolute: string): Promise<number> {
  const names = await readdir(absolute);
  return names.reduce((highest, name) => Math.max(highest, Number(LOCK_NAME.exec(name)?.[1] ?? 0)), 0);
}

async function removeLeftOvers(absolute: string, directory: Directory, mine: number): Promise<void> {
  for (const name of await readdir(absolute)) {
    const number = Number(LOCK_NAME.exec(name)?.[1] ?? mine);
    const abandoned = STARTING_NAME.test(name) && (await askHolder(directory.socketPath(name))) === 'dead';
    if (number < mine || abandoned) await rm(join(absolute, name), { force: true });
  }
}

function answerWithPid(): Server {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`${process.pid}\n`);
  });
  server.unref();
  return server;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      done();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
  });
}

/** Asks a lock's socket for its process. A holder too busy to answer is alive all the same. */
async function askHolder(path: string): Promise<'dead' | { pid: number | null }> {
  const abort = new AbortController();
  const answer = new Promise<'dead' | { pid: number | null }>((done) => {
    const socket = connect(path);
    const received: Buffer[] = [];
    const finish = (): void => {
      const pid = Number.parseInt(Buffer.concat(received).toString('latin1'), 10);
      done({ pid: Number.isSafeInteger(pid) ? pid : null });
      socket.destroy();
    };
    socket.on('data', (chunk) => received.push(chunk));
    socket.once('end', finish);
    socket.once('error', (error) => {
      const code = codeOf(error);
      done(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'dead' : { pid: null });
    });
    abort.signal.addEventListener('abort', finish, { once: true });
  });
  const timeout = delay(HOLDER_ANSWER_TIMEOUT, undefined, { signal: abort.signal }).then(
    () => abort.abort(),
    () => undefined,
  );
  const result = await answer;
  abort.abort();
  await timeout;
  return result;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
