#!/usr/bin/env node
/**
 * Makes every secret that compose.yaml mounts: `node infra/docker/make-secrets.mjs [DIRECTORY]`, default `secrets` beside
 * this file. It never replaces a file: a new master key would make the stored private keys unreadable.
 *
 * The folder is 0700, which keeps other people of the host out. The files are 0644: compose mounts them one by one as they
 * are, and each must be readable to the user of its container.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = process.argv[2] ?? fileURLToPath(new URL('secrets', import.meta.url));
// 256 bits each, in letters that need no escaping in a URL, an ACL file or an environment file.
const [redisPassword, postgresPassword, adminToken] = [0, 0, 0].map(() => randomBytes(32).toString('base64url'));

const files = {
  'master-key': `${randomBytes(32).toString('base64')}\n`,
  'admin-token': `${adminToken}\n`,
  'postgres-password': `${postgresPassword}\n`,
  // Without a password only PING is answered, which is what the health check needs.
  'redis.acl': [
    'user default on nopass resetkeys resetchannels -@all +ping',
    `user zegel on >${redisPassword} ~* &* +@all -@admin +client|list`,
    '',
  ].join('\n'),
  'connections.env': [
    `REDIS_URL=redis://zegel:${redisPassword}@redis:6379`,
    `DATABASE_URL=postgres://zegel:${postgresPassword}@postgres:5432/zegel`,
    '',
  ].join('\n'),
};

if (existsSync(directory)) {
  process.stderr.write(`make-secrets: ${directory} exists already; nothing was changed\n`);
  process.exit(1);
}
mkdirSync(directory, { recursive: true, mode: 0o700 });
for (const [name, content] of Object.entries(files)) {
  const file = join(directory, name);
  writeFileSync(file, content, { flag: 'wx' });
  chmodSync(file, 0o644);
}
process.stdout.write(`wrote ${Object.keys(files).join(', ')} in ${directory}\n`);
