// What the tests need from the system: the servers they start and the implementations they are compared with.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

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
];

/**
 * Sees to it that everything is there. As root on Debian the missing packages are installed, and that is said first;
 * otherwise the one command that does it is named. Answers whether the tests can run.
 */
export function ensureSystemPackages() {
  const missing = packages.filter(({ file }) => globSync(file).length === 0).map(({ name }) => name);
  if (missing.length === 0) return true;
  const isRoot = process.getuid?.() === 0;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!isRoot || !existsSync('/usr/bin/apt-get') || process.env.ZEGEL_NO_INSTALL === '1') {
    console.error(
      `The tests need Debian packages that are not here. This installs them:\n\n    ${isRoot ? '' : 'sudo '}${command}\n`,
    );
    return false;
  }
  console.log(`The tests need Debian packages; installing them (ZEGEL_NO_INSTALL=1 forbids it): ${missing.join(' ')}`);
  // The tests start servers of their own: those of the packages need not run (RUNLEVEL keeps them from being started).
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  for (const [program, ...args] of [['apt-get', 'update', '-q'], command.split(' ')]) {
    const { status } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) console.error(`${program} ${args.join(' ')} failed`);
  }
  const still = packages.filter(({ file }) => globSync(file).length === 0).map(({ name }) => name);
  if (still.length > 0) console.error(`Still missing: ${still.join(' ')}`);
  return still.length === 0;
}
