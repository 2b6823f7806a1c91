import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A file of infra/mta as its readers have it, with the few places changed that a test cannot have as they stand: ports, and TLS on
 * loopback. Throws when a text to change does not stand in it.
 */
export function readRecipe(file: string, changes: readonly (readonly [text: string, replacement: string])[]): string {
  const original = readFileSync(path.join(import.meta.dirname, '../../../infra/mta', file), 'utf8');
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`infra/mta/${file} no longer says ${JSON.stringify(from)}`);
    return text.replaceAll(from, to);
  }, original);
}
