import { existsSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import {
  conformanceFile,
  findProgram,
  loadConformance,
  patience,
  startPostgres,
  startProcess,
  startRedis,
} from '../src/index.ts';

describe('startRedis', () => {
  it('keeps its data over SIGKILL and restart when it has an append-only file', async () => {
    await using redis = await startRedis({ appendOnly: true });
    const before = new Redis(redis.url);
    before.on('error', () => {});
    await before.set('kept', 'yes');
    const firstPid = redis.pid;
    await redis.kill('SIGKILL');
    before.disconnect();
    await redis.restart();
    const after = new Redis(redis.url);
    expect(await after.get('kept')).toBe('yes');
    expect(redis.pid).not.toBe(firstPid);
    expect(await after.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    after.disconnect();
  });

  it('gives every caller a server of its own', async () => {
    await using one = await startRedis();
    await using two = await startRedis();
    expect(one.port).not.toBe(two.port);
  });
});

describe('startPostgres', () => {
  it('creates databases and keeps them over a crash', async () => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase('Some "odd" name');
    const firstPid = postgres.pid;
    await postgres.kill();
    await postgres.restart();
    expect(postgres.pid).not.toBe(firstPid);
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ name: string; encoding: string }>(
      `SELECT current_database() AS name, current_setting('server_encoding') AS encoding`,
    );
    expect(rows).toEqual([{ name: 'Some "odd" name', encoding: 'UTF8' }]);
    await client.end();
  });
});

/** Whether a process runs; one that has died and waits for its parent (state Z) does not. */
function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\tZ/mu.test(readFileSync(status, 'latin1'));
}

describe('startProcess', () => {
  it('gives the line that was waited for, and the output when the process ends instead', async () => {
    await using child = await startProcess('/bin/sh', ['-c', 'echo first; echo "listening on 7"; read go; echo bye']);
    expect(await child.waitForLine(/listening on \d/u)).toBe('listening on 7');
    child.write('go\n');
    await expect(child.waitForLine(/never/u)).rejects.toThrow(/status 0[\s\S]*bye/u);
  });

  it('is killed by the kernel when the process that started it dies', async () => {
    const program = `
      import { startProcess } from ${JSON.stringify(new URL('../src/process.ts', import.meta.url).href)};
      const child = await startProcess('/bin/sh', ['-c', 'exec sleep 600']);
      console.log('child ' + child.pid);
    `;
    await using parent = await startProcess(process.execPath, ['--input-type=module', '-e', program]);
    const pid = Number((await parent.waitForLine(/^child \d+/u)).slice('child '.length));
    expect(isAlive(pid)).toBe(true);
    await parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), patience).toBe(false);
  });
});

describe('what is missing is named', () => {
  it('names the Debian package of a program', () => {
    expect(() => findProgram('no-such-program', ['no-such-package'])).toThrow(
      'apt-get install -y --no-install-recommends no-such-package',
    );
  });

  it('names the conformance file and the variable that points to the data', () => {
    expect(() => conformanceFile('dkim/no-such.json')).toThrow(/dkim\/no-such\.json[\s\S]*ZEGEL_CONFORMANCE/u);
    expect(loadConformance<{ cases: unknown[] }>('dmarc/verify.json').cases.length).toBeGreaterThan(0);
  });
});
