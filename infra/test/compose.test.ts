import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isTokenSecret, loadMasterKey } from '@zegel/keystore';
import { readConfig } from '@zegel/service-runtime';
import { runToEnd, startProcess, startRedis, temporaryFolder } from '@zegel/test-harness';
import { root } from './build-context.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly read_only?: boolean;
  readonly user?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly mem_limit: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const text = readFileSync(join(root, 'infra/docker/compose.yaml'), 'utf8');
const folder = temporaryFolder('secrets');
const makeSecrets = join(root, 'infra/docker/make-secrets.mjs');
await runToEnd(process.execPath, [makeSecrets, folder.path]);
afterAll(() => folder.remove());
const settings = environmentFile(readFileSync(join(folder.path, '.env'), 'utf8'));
const secretPath = (file: string) => join(folder.path, 'secrets', file);
const secret = (file: string) => readFileSync(secretPath(file), 'utf8');

const compose = read({ ...settings, AUTHSERV_ID: 'mail.example.com' });
const services = Object.entries(compose.services);
const ours = services.filter(([name]) => ['signer', 'verifier', 'milter'].includes(name));
const stores = services.filter(([name]) => ['redis', 'postgres'].includes(name));

describe('compose.yaml', () => {
  it('runs signer, verifier and milter beside their stores', () => {
    expect(services.map(([name]) => name)).toEqual(['signer', 'verifier', 'milter', 'redis', 'postgres']);
  });

  it('does not start without the name in Authentication-Results', () => {
    expect(() => read(settings)).toThrow('AUTHSERV_ID');
  });

  it('does not start without secrets', () => {
    expect(() => read({ AUTHSERV_ID: 'mail.example.com' })).toThrow('make-secrets.mjs');
  });

  it.each(services)('%s is checked, restarted, limited, and given time to stop', (_, service) => {
    expect(service.healthcheck.test[0]).toMatch(/^CMD/);
    expect(service.restart).toBe('unless-stopped');
    expect(service.mem_limit).toMatch(/^[0-9]+[mg]$/);
    expect(seconds(service.stop_grace_period)).toBeGreaterThanOrEqual(30);
  });

  it.each(ours)('%s runs without root, capabilities or a writable root file system', (_, service) => {
    expect(service).toMatchObject({
      user: expect.stringMatching(/^[1-9][0-9]*:[1-9][0-9]*$/),
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service.tmpfs?.map((mount) => mount.split(':')[0])).toEqual(['/tmp', '/data']);
  });

  it.each(ours)('%s starts node itself, and waits for healthy stores', (name, service) => {
    expect(service.entrypoint).toEqual([
      'node',
      '--conditions=compiled',
      '--enable-source-maps',
      `/app/services/${name}/dist/main.js`,
    ]);
    expect(service.depends_on).toEqual({
      redis: { condition: 'service_healthy' },
      postgres: { condition: 'service_healthy' },
    });
  });

  it.each(ours)('%s has an environment that the services accept, and time to finish its work', (_, service) => {
    const variables = { ...service.environment };
    for (const file of service.env_file ?? [])
      Object.assign(variables, environmentFile(secret(file.replace('secrets/', ''))));
    const config = readConfig(variables);
    expect(config.authservId).toBe('mail.example.com');
    expect(config.messageStore).toBe('redis');
    expect(config.redisUrl).toMatch(/^redis:\/\/zegel:[^@]{43}@redis:6379$/);
    expect(config.databaseUrl).toMatch(/^postgres:\/\/zegel:[^@]{43}@postgres:5432\/zegel$/);
    expect(seconds(service.stop_grace_period)).toBeGreaterThanOrEqual(config.shutdownGraceMs / 1000 + 15);
  });

  it('gives the signer six times the memory of the messages it takes in', () => {
    const { environment, mem_limit: limit } = compose.services.signer!;
    const { maxInflightBytes } = readConfig({ ...environment, ...environmentFile(secret('connections.env')) });
    expect(Number(/^(\d+)m$/.exec(limit)?.[1]) * 2 ** 20).toBeGreaterThanOrEqual(6 * maxInflightBytes);
  });

  it('has the verifier keep what is done for as long as it is told', () => {
    const told = read({ ...settings, AUTHSERV_ID: 'mail.example.com', ZEGEL_RETENTION_DAYS: '2' });
    const configs = [compose, told].map(({ services: { verifier } }) =>
      readConfig({ ...verifier!.environment, ...environmentFile(secret('connections.env')) }),
    );
    expect(configs.map(({ retentionDays }) => retentionDays)).toEqual([7, 2]);
  });

  it('publishes the API and the milter on this host only, and nothing else', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    expect(published).toEqual(['127.0.0.1:8080:8080', '127.0.0.1:8891:8891']);
  });

  it('has the milter listen where it is published', () => {
    const variables = { ...compose.services.milter!.environment, ...environmentFile(secret('connections.env')) };
    expect(readConfig(variables).milter.listen).toEqual([
      { address: { host: '0.0.0.0', port: 8891 }, mode: 'both', permissions: undefined },
    ]);
  });

  it('keeps the stores on a network without a way out', () => {
    for (const [, { networks }] of stores) {
      expect(networks.map((network) => compose.networks[network]?.internal)).toEqual([true]);
    }
  });

  it('keeps what the stores hold in named volumes', () => {
    for (const [, { volumes = [] }] of stores) {
      expect(volumes.map((volume) => volume.split(':')[0]!).every((name) => name in compose.volumes)).toBe(true);
      expect(volumes).toHaveLength(1);
    }
  });
});

describe('secrets', () => {
  it('come from files that make-secrets.mjs makes, each used by someone', () => {
    const used = services.flatMap(([, service]) => service.secrets ?? []);
    expect(new Set(used)).toEqual(new Set(Object.keys(compose.secrets)));
    const files = Object.values(compose.secrets).map(({ file }) => file);
    const environmentFiles = services.flatMap(([, service]) => service.env_file ?? []);
    for (const file of [...files, ...environmentFiles]) expect(secret(file.replace('secrets/', ''))).not.toBe('');
  });

  it.each(services)('stand in no variable of %s: it names mounted files', (_, { environment = {}, secrets = [] }) => {
    const named = Object.entries(environment).filter(([name]) => /KEY|TOKEN|PASSWORD|URL/.test(name));
    const expected = named.map(([name]) => [name, true]);
    const mounted = new Set(secrets.map((name) => `/run/secrets/${name}`));
    expect(named.map(([name, value]) => [name, name.endsWith('_FILE') && mounted.has(value)])).toEqual(expected);
  });

  it('go to those alone that need them, readable to their user and no other', async () => {
    for (const [name, needed] of [
      ['master-key', ['signer', 'milter']],
      ['admin-token', ['signer']],
    ] as const) {
      const holders = services.filter(([, service]) => service.secrets?.includes(name));
      expect(holders.map(([holder]) => holder)).toEqual(needed);
      const { mode, uid, gid } = statSync(secretPath(name));
      expect(mode & 0o777).toBe(0o600);
      expect(`${uid}:${gid}`).toBe(compose.services.signer!.user);
    }
    expect((await loadMasterKey({ file: secretPath('master-key') })).id).toMatch(/^[0-9a-f]{16}$/);
    expect(isTokenSecret(secret('admin-token').trimEnd())).toBe(true);
  });

  it('are readable to the users of the stores, in a folder closed to others of the host', () => {
    for (const name of ['redis.acl', 'postgres-password']) expect(statSync(secretPath(name)).mode & 0o777).toBe(0o644);
    expect(statSync(secretPath('.')).mode & 0o777).toBe(0o700);
  });

  it('are different each time, and never replaced', async () => {
    const before = secret('master-key');
    const again = await startProcess(process.execPath, [makeSecrets, folder.path]);
    expect((await again.exited).status).toBe(1);
    expect(secret('master-key')).toBe(before);
    using other = temporaryFolder('secrets');
    await runToEnd(process.execPath, [makeSecrets, other.path]);
    expect(readFileSync(join(other.path, 'secrets/master-key'), 'utf8')).not.toBe(before);
  });
});

describe('Redis with the settings of compose.yaml', () => {
  it('refuses rather than forgets, keeps an append-only file, and answers strangers nothing but PING', async () => {
    const flags = flagSettings(compose.services.redis!.command!.slice(1));
    expect(flags).toMatchObject({ aclfile: '/run/secrets/redis.acl', dir: '/data' });
    await using server = await startRedis({
      settings: { ...flags, aclfile: secretPath('redis.acl'), dir: folder.path },
    });
    const ask = (...command: string[]) => runToEnd('redis-cli', ['-p', String(server.port), ...command]);
    const url = new URL(environmentFile(secret('connections.env')).REDIS_URL!);
    const login = ['--user', url.username, '--pass', url.password, '--no-auth-warning'];

    expect(await ask('ping')).toBe('PONG\n');
    expect(await ask('get', 'bull:x')).toContain('NOPERM');
    expect(await ask('info', 'server')).toContain('NOPERM');
    expect(await ask(...login, 'set', 'bull:x', '1')).toBe('OK\n');
    expect(await ask(...login, 'config', 'get', 'dir')).toContain('NOPERM');
    expect(await ask(...login, 'info', 'memory')).toMatch(/^maxmemory_policy:noeviction\r?$/m);
    expect(await ask(...login, 'info', 'persistence')).toMatch(/^aof_enabled:1\r?$/m);

    const [kind, healthCheck] = compose.services.redis!.healthcheck.test;
    expect(kind).toBe('CMD-SHELL');
    await runToEnd('sh', ['-c', healthCheck!.replace('redis-cli', `redis-cli -p ${server.port}`)]);
  });
});

/** The file as compose reads it: variables are put into the values after these are parsed. */
function read(variables: Readonly<Record<string, string>>): Compose {
  const reviver = (_: unknown, value: unknown) => (typeof value === 'string' ? interpolate(value, variables) : value);
  return parse(text, reviver, { merge: true }) as Compose;
}

/** What compose makes of `${NAME:-default}` and `${NAME:?message}`. */
function interpolate(source: string, variables: Readonly<Record<string, string>>): string {
  return source.replaceAll(/\$\{(\w+)(:[-?])([^}]*)\}/g, (_, name: string, operator: string, rest: string) => {
    const value = variables[name];
    if (value !== undefined) return value;
    if (operator === ':?') throw new Error(`${name}: ${rest}`);
    return rest;
  });
}

function environmentFile(content: string): Record<string, string> {
  const lines = content.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** `--name value` pairs. */
function flagSettings(flags: readonly string[]): Record<string, string> {
  const names = flags.filter((_, index) => index % 2 === 0).map((flag) => flag.slice(2));
  return Object.fromEntries(names.map((name, index) => [name, flags[index * 2 + 1]!]));
}

function seconds(duration: string): number {
  return Number(/^(\d+)s$/.exec(duration)?.[1]);
}
