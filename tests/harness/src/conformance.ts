/**
 * The conformance data: messages, zones and expectations written by independent people, kept outside this
 * repository. Its README describes the forms; a test names a file by its path inside the folder.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const repositoryRoot = path.resolve(import.meta.dirname, '../../..');

/**
 * The folder that holds the conformance data: the environment variable ZEGEL_CONFORMANCE (a relative path counts from
 * the repository root) or else `../shared/conformance` beside the repository.
 *
 * Throws when there is no such folder: a suite that silently runs no case would look like one that passes.
 */
export function conformanceFolder(): string {
  const folder = path.resolve(repositoryRoot, process.env['ZEGEL_CONFORMANCE'] || '../shared/conformance');
  if (!existsSync(folder)) {
    throw new Error(
      `The conformance data is not there: no folder ${folder}. ` +
        'Set the environment variable ZEGEL_CONFORMANCE to the folder that holds dkim/, spf/, dmarc/, arc/ and authres/.',
    );
  }
  return folder;
}

/** The exact bytes of one conformance file, by its path inside the folder (`dkim/…/message.eml`). Throws when missing. */
export function conformanceFile(relativePath: string): Buffer {
  const file = path.join(conformanceFolder(), relativePath);
  if (!existsSync(file)) {
    throw new Error(
      `The conformance data lacks ${relativePath} (looked for ${file}). ` +
        'Bring the data up to date, or set ZEGEL_CONFORMANCE to the folder that holds it.',
    );
  }
  return readFileSync(file);
}

/**
 * One conformance file read as JSON. The caller names the shape it relies on; nothing checks it, because a wrong
 * guess fails the test that made it. Throws when the file is missing.
 */
export function loadConformance<Shape = unknown>(relativePath: string): Shape {
  return JSON.parse(conformanceFile(relativePath).toString('utf8')) as Shape;
}
