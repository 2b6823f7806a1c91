import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MessageMissingError, MessageStoreFullError, MessageStoreUnavailableError } from './errors.ts';
import { UNFINISHED_FILE_AGE } from './limits.ts';
import { checkReference, chunksOf } from './message-store.ts';
import type { MessageBytes, MessageStore } from './message-store.ts';

const UNFINISHED = 'unfinished';
const SHARD = /^[0-9a-f]{2}$/;
const READ_BYTES = 64 * 1024;

/**
 * Messages as files (mode 0600) of a folder (0700), spread over 256 folders in it. A message is written under another
 * name, synced, renamed into place, and the folder synced: after a crash or a power cut it is there as a whole or not.
 */
export class FileMessageStore implements MessageStore {
  readonly #folder: string;
  #made: Promise<void> | undefined;
  readonly #shards = new Set<string>();

  /** The folder is made when the first message comes. */
  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  async put(id: string, bytes: MessageBytes): Promise<string> {
    const reference = checkReference(id);
    const shard = this.#shard(reference);
    const unfinished = join(this.#folder, UNFINISHED, `${reference}.${randomBytes(6).toString('hex')}`);
    await this.#prepare(shard);
    const handle = await guard(() => open(unfinished, 'wx', 0o600));
    try {
      try {
        for await (const chunk of chunksOf(bytes)) await guard(() => writeWhole(handle, chunk));
        await guard(() => handle.sync());
      } finally {
        await handle.close().catch(() => undefined);
      }
      await guard(() => rename(unfinished, join(shard, reference)));
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
    await guard(() => syncFolder(shard));
    return reference;
  }

  async open(reference: string): Promise<AsyncIterable<Uint8Array>> {
    const file = this.#file(reference);
    await guard(() => access(file, constants.R_OK), reference);
    return readFile(file, reference);
  }

  async size(reference: string): Promise<number> {
    const file = this.#file(reference);
    return (await guard(() => stat(file), reference)).size;
  }

  async delete(reference: string): Promise<void> {
    const file = this.#file(reference);
    await guard(() => rm(file, { force: true }));
  }

  async *list(before: Date): AsyncGenerator<string, void, undefined> {
    await this.#prepare();
    for (const shard of await guard(() => readdir(this.#folder))) {
      if (!SHARD.test(shard)) continue;
      for (const name of await guard(() => readdir(join(this.#folder, shard)))) {
        const found = await stat(join(this.#folder, shard, name)).catch(() => null);
        if (found !== null && found.mtimeMs < before.getTime()) yield name;
      }
    }
  }

  async ping(): Promise<void> {
    await this.#prepare();
    await guard(() => access(join(this.#folder, UNFINISHED), constants.R_OK | constants.W_OK));
  }

  async close(): Promise<void> {}

  #shard(reference: string): string {
    return join(this.#folder, createHash('sha256').update(reference).digest('hex').slice(0, 2));
  }

  #file(reference: string): string {
    return join(this.#shard(checkReference(reference)), reference);
  }

  /**
   * Makes the store's folder once, and a shard in it when it is first needed. A folder that goes away later (a volume that is
   * unmounted) is not made again: messages would land on the disk below it.
   */
  async #prepare(shard?: string): Promise<void> {
    this.#made ??= guard(async () => {
      await mkdir(join(this.#folder, UNFINISHED), { recursive: true, mode: 0o700 });
      await syncFolder(this.#folder);
      await this.#removeAbandoned();
    });
    try {
      await this.#made;
    } catch (error) {
      this.#made = undefined;
      throw error;
    }
    if (shard === undefined || this.#shards.has(shard)) return;
    await guard(async () => {
      await mkdir(shard, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      await syncFolder(this.#folder);
    });
    this.#shards.add(shard);
  }

  /** Removes what a crash left unfinished. Younger files may be in the work of another process, and stay. */
  async #removeAbandoned(): Promise<void> {
    const folder = join(this.#folder, UNFINISHED);
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      const found = await stat(file).catch(() => null);
      if (found !== null && Date.now() - found.mtimeMs > UNFINISHED_FILE_AGE) await rm(file, { force: true });
    }
  }
}

async function* readFile(file: string, reference: string): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await guard(() => open(file, 'r'), reference);
  try {
    for (;;) {
      const { buffer, bytesRead } = await guard(() => handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close().catch(() => undefined);
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
}

/** A name is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Runs a file operation; its errors become the store's. A missing file counts as such where a reference is given. */
async function guard<T>(operation: () => Promise<T>, reference?: string): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (reference !== undefined && code === 'ENOENT') throw new MessageMissingError(reference, { cause: error });
    if (FULL.has(code)) throw new MessageStoreFullError(`the message store is full (${code})`, { cause: error });
    throw new MessageStoreUnavailableError(`the message store is unavailable (${code})`, { cause: error });
  }
}
