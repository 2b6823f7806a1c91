import * as fc from 'fast-check';
import { chmodSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path, { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../src/configuration.ts';
import { ConfigError, listSettings, readConfig, renderConfigTable } from '../src/index.ts';
import type { Config } from '../src/index.ts';

function attempt(env: Record<string, string>): Config | ConfigError {
  try {
    return readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function failure(env: Record<string, string>): ConfigError {
  const outcome = attempt(env);
  if (outcome instanceof ConfigError) return outcome;
  throw new Error('was accepted');
}

describe('readConfig', () => {
  test('an empty environment gives the defaults', () => {
    expect(readConfig({})).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      metricsListen: { host: '127.0.0.1', port: 9464 },
      dataDir: resolve('.zegel'),
      messageStore: 'file',
      authservId: hostname(),
      ourAuthservIds: [],
      receivedSpf: false,
      trustedSealers: [],
      bimi: false,
      masterKey: { file: resolve('.zegel/master-key') },
      dnsServers: [],
      logLevel: 'info',
      maxMessageBytes: 52_428_800,
      maxInflightBytes: 268_435_456,
      maxQueued: 100_000,
      workerConcurrency: 16,
      lockDurationMs: 30_000,
      stalledIntervalMs: 15_000,
      maxStalledCount: 3,
      jobAttempts: 8,
      retentionDays: 7,
      shutdownGraceMs: 25_000,
      drainDelayMs: 0,
      adminToken: { file: resolve('.zegel/admin-token') },
      milter: {
        listen: [],
        processes: 1,
        maxConnections: 1000,
        idleMs: 7_210_000,
        commandMs: 300_000,
        removeOwnResultsOutbound: true,
      },
      outbound: { daemonNames: [], internalNetworks: [] },
      submitters: { logins: { kind: 'none' }, networks: [] },
      signing: {
        rules: [],
        alsoSign: [],
        validitySeconds: 0,
        canonicalization: 'relaxed/relaxed',
        oversign: [],
        signWhenPresent: [],
        onRefusal: {
          missingKey: 'tempfail',
          ambiguousAuthor: 'reject',
          refusedHeader: 'reject',
          notPermitted: 'reject',
        },
      },
      inbound: {
        policy: 'annotate',
        onTemporaryError: 'accept',
        onAmbiguousAuthor: 'reject',
        onLimitExceeded: 'reject',
        exceptions: { domains: [], networks: [], sealers: [], mailingLists: [] },
      },
    });
  });

  test('an empty variable counts as unset', () => {
    expect(readConfig({ ZEGEL_MAX_QUEUED: '', REDIS_URL: '' })).toEqual(readConfig({}));
  });

  test('lists are split at commas', () => {
    const config = readConfig({
      ZEGEL_OUR_AUTHSERV_IDS: 'mx1.example.org, mx2.example.org,',
      ZEGEL_DNS_SERVERS: '192.0.2.1, 192.0.2.2:5353, 2001:db8::1, [2001:db8::2]:5353, dns',
    });
    expect(config.ourAuthservIds).toEqual(['mx1.example.org', 'mx2.example.org']);
    expect(config.dnsServers).toEqual([
      { host: '192.0.2.1', port: 53 },
      { host: '192.0.2.2', port: 5353 },
      { host: '2001:db8::1', port: 53 },
      { host: '2001:db8::2', port: 5353 },
      { host: 'dns', port: 53 },
    ]);
  });

  test('a name that h= cannot say is none', () => {
    const error = failure({ ZEGEL_SIGNING_OVERSIGN: 'Organization;X-Foo', ZEGEL_SIGNING_WHEN_PRESENT: 'X:Y' });
    expect(error.problems.map(({ variable }) => variable)).toEqual([
      'ZEGEL_SIGNING_OVERSIGN',
      'ZEGEL_SIGNING_WHEN_PRESENT',
    ]);
  });

  test('every bad variable is named, with what was given and what is allowed', () => {
    const error = failure({
      ZEGEL_LISTEN: '127.0.0.1',
      ZEGEL_METRICS_LISTEN: '127.0.0.1:70000',
      ZEGEL_LOG_LEVEL: 'loud',
      ZEGEL_MAX_MESSAGE_BYTES: '50M',
      ZEGEL_DNS_SERVERS: '192.0.2.1,:53',
    });
    expect(error.code).toBe('config.invalid');
    expect(error.problems.map(({ variable, given }) => [variable, given])).toEqual([
      ['ZEGEL_LISTEN', '127.0.0.1'],
      ['ZEGEL_METRICS_LISTEN', '127.0.0.1:70000'],
      ['ZEGEL_DNS_SERVERS', '192.0.2.1,:53'],
      ['ZEGEL_LOG_LEVEL', 'loud'],
      ['ZEGEL_MAX_MESSAGE_BYTES', '50M'],
    ]);
    expect(error.message).toContain('ZEGEL_LOG_LEVEL is "loud", must be one of trace, debug, info');
  });

  test('the value of a secret is never repeated', () => {
    const error = failure({
      REDIS_URL: 'http://user:hunter2@redis',
      DATABASE_URL: 'hunter2',
      ZEGEL_MASTER_KEY: 'hunter2',
      ZEGEL_MASTER_KEY_FILE: '/run/key',
      ZEGEL_ADMIN_TOKEN_SHA256: 'hunter2',
    });
    expect(error.message).not.toContain('hunter2');
    expect(JSON.stringify(error.problems)).not.toContain('hunter2');
    expect(error.problems.map(({ variable }) => variable)).toContain('REDIS_URL');
  });

  test('URLs may stand in files, which others must not be able to read', () => {
    using folder = mkdtempDisposableSync(path.join(tmpdir(), 'zegel-url-files-'));
    const file = path.join(folder.path, 'redis-url');
    writeFileSync(file, 'redis://user:hunter2@redis:6379\n', { mode: 0o600 });
    expect(readConfig({ REDIS_URL_FILE: file, ZEGEL_MESSAGE_STORE: 'redis' }).redisUrl).toBe(
      'redis://user:hunter2@redis:6379',
    );
    const yaml = parseConfig({}, { name: path.join(folder.path, 'zegel.yaml'), text: 'redisUrlFile: redis-url\n' });
    expect(yaml.redisUrl).toBe('redis://user:hunter2@redis:6379');
    expect(Object.keys(yaml).filter((name) => name.endsWith('File'))).toEqual([]);

    expect(failure({ REDIS_URL: 'redis://redis', REDIS_URL_FILE: file }).message).toMatch(
      /REDIS_URL_FILE .*not beside REDIS_URL/,
    );
    expect(failure({ DATABASE_URL_FILE: file }).message).toMatch(
      /DATABASE_URL_FILE .*a file that holds a URL that begins with post/,
    );
    expect(failure({ DATABASE_URL_FILE: file }).message).not.toContain('hunter2');
    expect(failure({ REDIS_URL_FILE: path.join(folder.path, 'none') }).message).toContain('ENOENT');
    expect(failure({ REDIS_URL_FILE: folder.path }).message).toContain('REDIS_URL_FILE');
    chmodSync(file, 0o644);
    expect(failure({ REDIS_URL_FILE: file }).message).toContain('others can get at it');
    writeFileSync(file, `redis://${'x'.repeat(10_000)}`);
    chmodSync(file, 0o600);
    expect(failure({ REDIS_URL_FILE: file }).message).toContain('above 8192 bytes');
  });

  test.each<[string, Record<string, string>]>([
    ['ZEGEL_MESSAGE_STORE', { ZEGEL_MESSAGE_STORE: 'redis' }],
    ['ZEGEL_MASTER_KEY', { ZEGEL_MASTER_KEY: 'x', ZEGEL_MASTER_KEY_FILE: '/run/key' }],
    ['ZEGEL_ADMIN_TOKEN_FILE', { ZEGEL_ADMIN_TOKEN_FILE: '/run/token', ZEGEL_ADMIN_TOKEN_SHA256: 'ab'.repeat(32) }],
    ['ZEGEL_MAX_INFLIGHT_BYTES', { ZEGEL_MAX_INFLIGHT_BYTES: '1024' }],
  ])('%s: right by itself, wrong together', (variable, env) => {
    expect(failure(env).problems.map((problem) => problem.variable)).toEqual([variable]);
  });

  test('whatever the environment holds, the answer is a configuration or a ConfigError', () => {
    const variables = listSettings().map(({ variable }) => variable);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...variables), fc.string()), (env) => {
        const outcome = attempt(env);
        expect(outcome instanceof ConfigError || typeof outcome.listen.port === 'number').toBe(true);
      }),
    );
  });
});

test('the table names every variable once, and its defaults are the ones that apply', () => {
  const table = renderConfigTable();
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.map((row) => /^\| `([A-Z0-9_]+)` \|/.exec(row)?.[1])).toEqual(listSettings().map((s) => s.variable));
  const written = listSettings().filter((setting) => /^[0-9.:/a-z]+$/.test(setting.fallback));
  const env = Object.fromEntries(
    written.filter((s) => !['unset', 'none'].includes(s.fallback)).map((s) => [s.variable, s.fallback]),
  );
  expect(readConfig(env)).toEqual(readConfig({}));
});
