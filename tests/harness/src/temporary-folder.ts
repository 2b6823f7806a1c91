import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder of one test's own. It goes away with `remove()`, or else when this process exits. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
  remove(): void;
}

const existing = new Set<string>();

function removeFolder(folder: string): void {
  existing.delete(folder);
  // A server that was just killed may still be closing files in it.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
}

process.on('exit', () => {
  for (const folder of existing) removeFolder(folder);
});

/** Makes an empty folder, readable by this user only, under the system's temporary folder. */
export function temporaryFolder(purpose: string): TemporaryFolder {
  const folder = mkdtempSync(path.join(tmpdir(), `zegel-${purpose}-`));
  existing.add(folder);
  const remove = () => removeFolder(folder);
  return { path: folder, remove, [Symbol.dispose]: remove };
}
