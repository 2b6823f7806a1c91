// Mail servers that the tests start. Debian lets only one of them be installed, and an installed one would be the host's:
// they are unpacked into a folder of the checkout instead. What they need to run is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The harness of the tests looks here too (tests/harness/src/debian-machine.ts). */
const folder = fileURLToPath(new URL('../node_modules/.cache/debian', import.meta.url));

const packages = ['exim4-daemon-heavy', 'postfix', 'sendmail-bin', 'sendmail-base', 'sendmail-cf', 'sasl2-bin'];

/** Lies in the folder of an unpacked package and names the libraries, as Debian packages, that it needs. */
const libraryList = '.libraries';

export function missingUnpacked() {
  return packages.filter((name) => !existsSync(path.join(folder, name)));
}

/** The libraries of what is unpacked that are not installed. */
export function missingLibraries() {
  const lists = globSync(path.join(folder, '*', libraryList)).map((file) => readFileSync(file, 'utf8').split('\n'));
  const wanted = [...new Set(lists.flat())].filter((name) => name !== '');
  if (wanted.length === 0) return [];
  const format = '--showformat=${Package} ${db:Status-Abbrev}\n';
  const { stdout } = spawnSync('dpkg-query', ['--show', format, ...wanted], { encoding: 'utf8' });
  const installed = new Set(stdout.split('\n').map((line) => line.replace(/ ii.*/u, '')));
  return wanted.filter((name) => !installed.has(name));
}

/** What a person runs to have a package unpacked. */
export function unpackCommand(name) {
  const target = path.relative(process.cwd(), path.join(folder, name));
  return `apt-get download ${name} && dpkg -x ${name}_*.deb ${target}`;
}

/** Downloads and unpacks packages, each as a whole or not at all. */
export function unpack(names) {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const work = mkdtempSync(path.join(folder, '.unpacking-'));
    const run = (program, ...args) =>
      spawnSync(program, args, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    // As root, apt would download as a user that cannot write here.
    run('apt-get', 'download', '-q', '-o', 'APT::Sandbox::User=root', name);
    const [archive] = globSync('*.deb', { cwd: work });
    if (archive !== undefined && run('dpkg', '-x', archive, 'tree').status === 0) {
      const libraries = run('dpkg-deb', '--field', archive, 'Depends').stdout.match(/\blib[^\s,|(:]+/gu) ?? [];
      writeFileSync(path.join(work, 'tree', libraryList), libraries.join('\n'));
      rmSync(path.join(folder, name), { recursive: true, force: true });
      renameSync(path.join(work, 'tree'), path.join(folder, name));
    } else {
      console.error(`${name} was not unpacked`);
    }
    rmSync(work, { recursive: true, force: true });
  }
}
