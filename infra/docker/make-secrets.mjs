#!/usr/bin/env node
/**
 * Makes what compose.yaml needs and nobody may know: `node infra/docker/make-secrets.mjs [DIRECTORY]`, default the folder of
 * this file. It writes DIRECTORY/secrets and DIRECTORY/.env, and never replaces them: a new master key would make the stored
 * private keys unreadable.
 *
 * Compose mounts each file with the owner and mode it has on the host, and Zegel refuses a secret that others can read. So
 * Zegel runs as whoever made the secrets, or as 65532 when that was root, which .env tells compose. Redis and PostgreSQL
 * bring users of their own: their files are readable to all, in a folder that only the owner may enter.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url));
const folder = join(directory, 'secrets');
const settings = join(directory, '.env');
for (const path of [folder, settings]) {
  if (existsSync(path)) {
    process.stderr.write(`make-secrets: ${path} exists already; nothing was changed\n`);
    process.exit(1);
  }
}

const isRoot = process.getuid() === 0;
const owner = isRoot ? { uid: 65532, gid: 65532 } : { uid: process.getuid(), gid: process.getgid() };
const redisPassword = randomLetters();
const postgresPassword = randomLetters();

mkdirSync(folder, { recursive: true, mode: 0o700 });
writeOwn('master-key', randomBytes(32).toString('base64'));
writeOwn('admin-token', makeToken());
writeOpen('postgres-password', postgresPassword);
// Without a password only PING is answered, which is what the health check needs.
writeOpen(
  'redis.acl',
  [
    'user default on nopass resetkeys resetchannels -@all +ping',
    `user zegel on >${redisPassword} ~* &* +@all -@admin +client|list`,
  ].join('\n'),
);
// Read by compose itself, not by a container.
write(
  join(folder, 'connections.env'),
  [
    `REDIS_URL=redis://zegel:${redisPassword}@redis:6379`,
    `DATABASE_URL=postgres://zegel:${postgresPassword}@postgres:5432/zegel`,
  ].join('\n'),
  0o600,
);
write(settings, `ZEGEL_USER=${owner.uid}:${owner.gid}`, 0o644);
process.stdout.write(`The secrets are in ${folder}. Keep a copy of master-key apart from this host.\n`);

/** A file that Zegel alone may read. */
function writeOwn(name, content) {
  const file = join(folder, name);
  write(file, content, 0o600);
  if (isRoot) chownSync(file, owner.uid, owner.gid);
}

/** A file for a container whose user is not known here. */
function writeOpen(name, content) {
  write(join(folder, name), content, 0o644);
}

function write(file, content, mode) {
  writeFileSync(file, `${content}\n`, { flag: 'wx', mode: 0o600 });
  // Whatever the umask says.
  chmodSync(file, mode);
}

/** 256 bits, in letters that need no escaping in a URL, an ACL file or an environment file. */
function randomLetters() {
  return randomBytes(32).toString('base64url');
}

/** An API token as the keystore knows it: prefix, 256 bits, and the start of the hash of both against typing errors. */
function makeToken() {
  const body = `zgl_${randomLetters()}`;
  return body + createHash('sha256').update(body).digest('hex').slice(0, 8);
}
