import { readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { importLimits, importOpendkim } from '@zegel/opendkim-import';
import type { ImportNote } from '@zegel/opendkim-import';
import { parseConfig } from '@zegel/service-runtime/config';
import { readSubcommand, required } from './arguments.ts';
import { asUsage, readTextFile } from './input.ts';
import { exitStatus } from './errors.ts';

export const importUsage = `zegel import opendkim FILE

Reads the configuration of OpenDKIM (such as /etc/opendkim.conf) with the tables it names, and writes a configuration file for
Zegel to standard output. What could not be carried over goes to standard error, one a line, with file and line.

  --out FILE       write there; it must not exist yet
  --json           write notes and configuration as one JSON object

Key files stay where they are. Nothing of OpenDKIM is changed.
`;

/** `zegel import opendkim`. */
export async function runImport(args: readonly string[]): Promise<number> {
  const { options, operand } = readSubcommand(args, 'opendkim', { out: { type: 'string' }, json: { type: 'boolean' } });
  const file = required(operand, 'the file to import');
  // What is named by the caller is an error, what is named in it a note.
  await readTextFile(file);
  const { yaml, notes } = importOpendkim(file, readSource);
  parseConfig({}, { name: options.out ?? 'zegel.yaml', text: yaml });
  const text = options.json === true ? `${JSON.stringify({ yaml, notes }, null, 2)}\n` : yaml;
  if (options.out === undefined) process.stdout.write(text);
  else await writeNew(options.out, text);
  if (options.json !== true) for (const note of notes) process.stderr.write(`${describeNote(note)}\n`);
  return exitStatus.done;
}

function describeNote({ file, line, option, kind, text }: ImportNote): string {
  const place = line === 0 ? file : `${file}:${line}`;
  return `${place}: ${option} ${kind === 'dropped' ? 'is left out' : 'is changed'}: ${text}`;
}

function readSource(path: string): string | null {
  try {
    // A table may be a device or a pipe by mistake: only a file has a size to trust.
    const found = statSync(path);
    if (!found.isFile() || found.size > importLimits.maxFileLength) return null;
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o644);
    await file.writeFile(text);
  } catch (error) {
    throw asUsage(error);
  }
}
