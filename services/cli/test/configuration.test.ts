import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zegel } from './zegel.ts';
import type { RunOptions } from './zegel.ts';

const good = `
outbound: { internalNetworks: [192.0.2.0/24] }
submitters: { logins: { file: logins.yaml } }
signing:
  keys: [{ domain: example.test, selector: one, file: one.example.test.pem }]
inbound: { policy: enforce }
`;

let folder: TemporaryFolder;
const inFolder = (name: string) => path.join(folder.path, name);
const run = (args: readonly string[], options: RunOptions = {}) => zegel(args, { cwd: folder.path, ...options });
const write = (name: string, text: string) => {
  writeFileSync(inFolder(name), text);
  return name;
};

beforeAll(async () => {
  folder = temporaryFolder('cli-config');
  await run(['keygen', '--domain', 'example.test', '--selector', 'one', '--algorithm', 'ed25519-sha256', '--out', '.']);
  write('logins.yaml', 'ann: [ann@example.test]\n');
  write('good.yaml', good);
});

afterAll(() => folder.remove());

describe('zegel config check', () => {
  test('opens what the file names, and lists doubts', async () => {
    const { status, stdout, stderr } = await run(['config', 'check', 'good.yaml']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(
      /^doubt: outbound\.internalNetworks: mail from 192\.0\.2\.0\/24 .*\ngood\.yaml: ok\n$/,
    );
  });

  test('names each problem on a line of its own, with its place; ZEGEL_CONFIG names the file too', async () => {
    write('bad.yaml', 'inbound:\n  policy: block\nsiging: {}\n');
    const { status, stdout, stderr } = await run(['config', 'check'], {
      env: { ZEGEL_CONFIG: 'bad.yaml', ZEGEL_BIMI: 'x' },
    });
    expect([status, stdout.toString()]).toEqual([1, '']);
    expect(stderr).toBe(
      [
        'bad.yaml:3:1: siging is not known (did you mean signing?)',
        'ZEGEL_BIMI is "x", must be true or false',
        'bad.yaml:2:11: inbound.policy is "block", must be one of annotate, enforce',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['a key file that is not there', good.replace('one.example', 'two.example'), 'two.example.test.pem cannot be read'],
    [
      'a map of logins that is wrong',
      good.replace('logins.yaml', 'bad-logins.yaml'),
      'bad-logins.yaml:1:6: the entry must be',
    ],
    ['a file that is not there', null, 'missing.yaml'],
  ])('%s is a problem', async (_name, text, problem) => {
    write('bad-logins.yaml', 'ann: 3\n');
    const name = text === null ? 'missing.yaml' : write('other.yaml', text);
    const { status, stdout } = await run(['config', 'check', name, '--json']);
    const { ok, problems }: { ok: boolean; problems: readonly string[] } = JSON.parse(stdout.toString());
    expect([status, ok, problems.length]).toEqual([1, false, 1]);
    expect(problems[0]).toContain(problem);
  });

  test('is the one subcommand', async () => {
    expect(await run(['config', 'chek'])).toMatchObject({ status: 1 });
    expect(await run(['config', 'check', 'a', 'b'])).toMatchObject({ status: 1 });
  });
});

const explain = (args: readonly string[]) => run(['explain', '--config', 'good.yaml', ...args]);

describe('zegel explain', () => {
  test('says who signs, and with which key', async () => {
    const { status, stdout } = await explain(['--auth-user', 'ann', '--from', 'Ann <ann@example.test>']);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/signing +Signed for example\.test with one \(ed25519-sha256\)/);
    expect(stdout.toString()).toMatch(/outcome +signed\n$/);
  });

  test('says how a message is refused, as text and as the decision that is logged', async () => {
    const args = ['--auth-user', 'ann', '--from', 'bob@example.test'];
    expect((await explain(args)).stdout.toString()).toContain('notPermitted: reject: 550 5.7.1');
    expect(JSON.parse((await explain([...args, '--json'])).stdout.toString())).toMatchObject({
      decision: {
        outcome: 'rejected',
        submitter: 'submitter.login-map',
        code: 'signing.not-permitted',
        group: 'notPermitted',
      },
    });
  });

  test('says what becomes of inbound mail', async () => {
    const { stdout } = await explain(['--ip', '203.0.113.1', '--from', 'a@example.com']);
    expect(stdout.toString()).toMatch(/DMARC asks to reject +reject: .*550 5\.7\.1/);
  });

  test.each([
    [['--from', 'a@b.example', '--mode', 'none']],
    [['--from', 'a@b.example', '--ip', '1.2.3']],
    [['--from', 'a@b.example\nTo: x']],
    [['--ip', '192.0.2.1']],
  ])('refuses %j', async (args) => {
    expect(await explain(args)).toMatchObject({ status: 1 });
  });

  test('makes no database where there is none', async () => {
    const { status, stderr } = await run(['explain', '--from', 'a@b.example', '--auth-user', 'a']);
    expect(status).toBe(1);
    expect(stderr).toContain('there is no database');
  });
});

describe('zegel import opendkim', () => {
  beforeAll(() => {
    const table = inFolder('signing.table');
    write('signing.table', '*@example.test one\nann@example.test one\n');
    write('key.table', `one example.test:one:${inFolder('one.example.test.pem')}\n`);
    write(
      'opendkim.conf',
      `Syslog yes\nKeyTable ${inFolder('key.table')}\nSigningTable refile:${table}\nSocket local:/run/x.sock\n`,
    );
  });

  test('writes a configuration that the check accepts, and says what is missing from it', async () => {
    const { status, stdout, stderr } = await run(['import', 'opendkim', 'opendkim.conf', '--out', 'imported.yaml']);
    expect([status, stdout.toString()]).toEqual([0, '']);
    expect(stderr).toContain('opendkim.conf:1: Syslog is left out');
    expect(stderr).toContain(`${inFolder('signing.table')}:2: SigningTable is left out`);
    expect(await run(['config', 'check', 'imported.yaml'])).toMatchObject({ status: 0, stderr: '' });
    const explained = await run([
      'explain',
      '--config',
      'imported.yaml',
      '--ip',
      '127.0.0.1',
      '--from',
      'a@example.test',
    ]);
    expect(explained.stdout.toString()).toMatch(/outcome +signed\n$/);
  });

  test('writes to standard output, and over nothing', async () => {
    write('there.yaml', 'kept');
    expect((await run(['import', 'opendkim', 'opendkim.conf'])).stdout.toString()).toContain('milter:');
    expect(await run(['import', 'opendkim', 'opendkim.conf', '--out', 'there.yaml'])).toMatchObject({ status: 1 });
    expect(readFileSync(inFolder('there.yaml'), 'utf8')).toBe('kept');
    expect(await run(['import', 'opendkim', 'missing.conf'])).toMatchObject({ status: 1 });
  });
});
