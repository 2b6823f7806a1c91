import { cpSync, readFileSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository, which is the build context of the image. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Whether .dockerignore keeps the path (relative to the root) out of the build context: itself, or a folder above it. */
export function isIgnored(path: string): boolean {
  const parts = path.split('/');
  const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  return above.some((ancestor) => patterns.some((pattern) => matchesGlob(ancestor, pattern)));
}

/** Copies to the folder what `COPY . .` would: the repository without what .dockerignore names. */
export function copyContext(folder: string): void {
  cpSync(root, folder, { recursive: true, filter: (source) => !isIgnored(relative(root, source)) });
}
