import { existsSync } from 'node:fs';
import path from 'node:path';

/** A program the tests need is not installed. The message names the Debian package and the one command that helps. */
export class MissingProgramError extends Error {
  readonly code = 'test.program-missing';

  constructor(program: string, debianPackages: readonly string[]) {
    const packages = debianPackages.join(' ');
    super(
      `${program} is not installed. It is in the Debian package ${packages}: apt-get install -y --no-install-recommends ${packages}`,
    );
    this.name = 'MissingProgramError';
  }
}

/** The full path of a program: looked for in the given folders first, then along PATH. Throws MissingProgramError. */
export function findProgram(name: string, debianPackages: readonly string[], folders: readonly string[] = []): string {
  const places = [...folders, ...(process.env['PATH'] ?? '').split(path.delimiter)];
  const found = places.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new MissingProgramError(name, debianPackages);
  return found;
}
