import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A text of a recipe and what stands there in a test. */
export type RecipeChange = readonly [text: string, replacement: string];

/**
 * A file of infra/mta as its readers have it, with the few places changed that a test cannot have as they stand: ports,
 * and TLS on loopback. Throws when a text to change does not stand in it.
 */
export function readRecipe(file: string, changes: readonly RecipeChange[]): string {
  const original = readFileSync(path.join(import.meta.dirname, '../../../infra/mta', file), 'utf8');
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`infra/mta/${file} no longer says ${JSON.stringify(from)}`);
    return text.replaceAll(from, to);
  }, original);
}

/** A command that a README of infra/mta has its readers run as root, and what it says they see. */
export interface Check {
  readonly command: string;
  readonly output: string;
}

/** The commands of the `console` blocks, each after a `# `. Changes are made where they apply. */
export function readChecks(file: string, changes: readonly RecipeChange[]): readonly Check[] {
  const blocks = readRecipe(file, []).matchAll(/^```console\n(.*?)^```$/gmsu);
  return [...blocks].flatMap(([, block = '']) =>
    block
      .split(/^# /mu)
      .slice(1)
      .map((text): Check => {
        const changed = changes.reduce((one, [from, to]) => one.replaceAll(from, to), text);
        const end = changed.indexOf('\n');
        return { command: changed.slice(0, end), output: changed.slice(end + 1) };
      }),
  );
}
