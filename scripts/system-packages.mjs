// What the tests need from the system: the servers they start and the implementations they are compared with.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { missingLibraries, missingUnpacked, unpack, unpackCommand } from './unpacked-packages.mjs';

/** Debian packages, each with a file (a pattern) that shows that it is there. */
const packages = [
  { name: 'redis-server', file: '/usr/bin/redis-server' },
  { name: 'postgresql', file: '/usr/lib/postgresql/*/bin/initdb' },
  { name: 'nsd', file: '/usr/sbin/nsd' },
  { name: 'curl', file: '/usr/bin/curl' },
  { name: 'python3', file: '/usr/bin/python3' },
  { name: 'python3-dkim', file: '/usr/lib/python3/dist-packages/dkim' },
  { name: 'python3-nacl', file: '/usr/lib/python3/dist-packages/nacl' },
  { name: 'python3-spf', file: '/usr/lib/python3/dist-packages/spf.py' },
  { name: 'python3-dns', file: '/usr/lib/python3/dist-packages/DNS' },
  { name: 'perl', file: '/usr/bin/perl' },
  { name: 'libmail-dkim-perl', file: '/usr/share/perl5/Mail/DKIM.pm' },
  { name: 'libopendkim11', file: '/usr/share/doc/libopendkim11' },
  { name: 'libsasl2-modules', file: '/usr/lib/*/sasl2/libplain.so' },
  { name: 'libsasl2-modules-db', file: '/usr/lib/*/sasl2/libsasldb.so' },
  { name: 'm4', file: '/usr/bin/m4' },
  { name: 'miltertest', file: '/usr/bin/miltertest' },
];

/** Packages that are not installed, the libraries of unpacked ones among them. */
function missingPackages() {
  return [...packages.filter(({ file }) => globSync(file).length === 0).map(({ name }) => name), ...missingLibraries()];
}

const installCommand = (names) => `apt-get install -y --no-install-recommends ${names.join(' ')}`;

/**
 * Sees to it that everything is there. As root on Debian the missing packages are installed or unpacked, and that is said
 * first; otherwise the commands that do it are named. Answers whether the tests can run.
 */
export function ensureSystemPackages() {
  const missing = missingPackages();
  const packed = missingUnpacked();
  if (missing.length === 0 && packed.length === 0) return true;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get') || process.env.ZEGEL_NO_INSTALL === '1') {
    const install = missing.length === 0 ? [] : [`${isRoot ? '' : 'sudo '}${installCommand(missing)}`];
    const commands = [...install, ...packed.map(unpackCommand)].map((command) => `    ${command}\n`);
    console.error(`The tests need Debian packages that are not here. This brings them:\n\n${commands.join('')}`);
    return false;
  }
  const what = [...missing, ...packed.map((name) => `${name} (unpacked only)`)].join(' ');
  console.log(`The tests need Debian packages; installing them (ZEGEL_NO_INSTALL=1 forbids it): ${what}`);
  run('apt-get', 'update', '-q');
  unpack(packed);
  const wanted = [...new Set([...missing, ...missingLibraries()])];
  if (wanted.length > 0) run(...installCommand(wanted).split(' '));
  const still = [...missingPackages(), ...missingUnpacked()];
  if (still.length > 0) console.error(`Still missing: ${still.join(' ')}`);
  return still.length === 0;
}

function run(program, ...args) {
  // The tests start servers of their own: those of the packages need not run (RUNLEVEL keeps them from being started).
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const { status } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) console.error(`${program} ${args.join(' ')} failed`);
}
