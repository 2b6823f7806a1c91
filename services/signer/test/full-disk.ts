import { mkdirSync, readFileSync, writeFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { runToEnd, temporaryFolder } from '@zegel/test-harness';

/** A folder on a small file system of its own. Dispose to unmount it. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string;
  /** Takes all the room that is left; the function that comes back gives it free again. */
  fill(): () => void;
}

/**
 * Mounts a tmpfs of so many megabytes. Only root may: elsewhere this throws and says so, since a test that passes without
 * the disk being full would say nothing.
 */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const parent = temporaryFolder('small-disk');
  const folder = path.join(parent.path, 'disk');
  mkdirSync(folder);
  try {
    await runToEnd('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder]);
  } catch (error) {
    parent.remove();
    throw new Error('A full disk is tested on a tmpfs, and mounting one needs root (CAP_SYS_ADMIN)', { cause: error });
  }
  return {
    folder,
    fill() {
      const { bavail, bsize } = statfsSync(folder);
      const ballast = path.join(folder, 'ballast');
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
      return () => writeFileSync(ballast, '');
    },
    async [Symbol.asyncDispose]() {
      if (readFileSync('/proc/mounts', 'utf8').includes(` ${folder} `)) await runToEnd('umount', [folder]);
      parent.remove();
    },
  };
}
