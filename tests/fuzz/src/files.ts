/** What stays on disk: corpus/<target>/ to begin with, found/<target>/ to be replayed for ever. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const corpusFolder = path.resolve(import.meta.dirname, '../corpus');
const foundFolder = path.resolve(import.meta.dirname, '../found');

/** Inputs above this are not kept: what they show, a smaller one will show as well. */
const maxKeptOctets = 4096;
/** Files kept of one run. */
const maxKeptFiles = 150;

export function loadCorpus(target: string): readonly Buffer[] {
  return readFolder(path.join(corpusFolder, target)).map(({ input }) => input);
}

/** Every input that once broke something. */
export function loadFound(): readonly { readonly target: string; readonly file: string; readonly input: Buffer }[] {
  if (!existsSync(foundFolder)) return [];
  return readdirSync(foundFolder).flatMap((target) =>
    readFolder(path.join(foundFolder, target)).map(({ file, input }) => ({ target, file, input })),
  );
}

/** Saves the smallest of the inputs. Answers how many. */
export function keepInputs(target: string, inputs: readonly Buffer[]): number {
  const small = inputs.filter(({ length }) => length > 0 && length <= maxKeptOctets);
  const kept = small.toSorted((one, other) => one.length - other.length).slice(0, maxKeptFiles);
  for (const input of kept) save(path.join(corpusFolder, target), digestOf(input), input);
  return kept.length;
}

/** Answers the path of the file, from the folder of the fuzzer. */
export function saveFinding(target: string, { signature, input }: { signature: string; input: Buffer }): string {
  const words = signature
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
  const name = `${words}-${digestOf(input)}`;
  save(path.join(foundFolder, target), name, input);
  return path.join('found', target, name);
}

function digestOf(input: Buffer): string {
  return createHash('sha1').update(input).digest('hex').slice(0, 12);
}

function save(folder: string, name: string, input: Buffer): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), input);
}

function readFolder(folder: string): readonly { readonly file: string; readonly input: Buffer }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((file) => ({ file, input: readFileSync(path.join(folder, file)) }));
}
