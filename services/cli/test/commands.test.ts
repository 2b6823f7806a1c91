import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zegel } from './zegel.ts';
import type { RunOptions } from './zegel.ts';

const hello = [
  'From: Alice <alice@example.test>',
  'To: bob@example.org',
  'Subject: Hello',
  'Date: Tue, 24 Nov 2026 12:00:00 +0000',
  '',
  'Hello Bob',
  '',
].join('\r\n');
const now = '2026-11-24T12:00:00Z';

let folder: TemporaryFolder;
let zone: string;
let rsa: string;
let ed25519: string;
const inFolder = (name: string) => path.join(folder.path, name);
const pem = (name: string) => inFolder(`${name}.example.test.pem`);
const run = (args: readonly string[], options: RunOptions = {}) => zegel(args, { cwd: folder.path, ...options });
const sign = (args: readonly string[], options: RunOptions = {}) =>
  run(['sign', '--domain', 'example.test', ...args], { stdin: hello, ...options });

const both = () => ['--selector', 'rsa', '--key', pem('rsa'), '--selector', 'ed', '--key', pem('ed')];
const verify = (args: readonly string[], stdin: string | Uint8Array = hello) =>
  run(['verify', '--dns', zone, '--authserv-id', 'mx.receiver.test', ...args], { stdin });
const spf = (args: readonly string[]) => run(['spf', '--dns', zone, ...args]);

/** The text of a TXT record in the master-file form. */
const textOf = (record: string) => [...record.matchAll(/"([^"]*)"/g)].map(([, text]) => text).join('');

beforeAll(async () => {
  folder = temporaryFolder('cli');
  const [made, madeEd] = await Promise.all([
    run(['keygen', '--domain', 'Example.TEST', '--selector', 'rsa']),
    run(['keygen', '--domain', 'example.test', '--selector', 'ed', '--algorithm', 'ed25519-sha256']),
  ]);
  rsa = made.stdout.toString();
  ed25519 = madeEd.stdout.toString();
  zone = inFolder('zone.json');
  writeFileSync(
    zone,
    JSON.stringify({
      'rsa._domainkey.example.test': { TXT: [textOf(rsa)] },
      'ed._domainkey.example.test': { TXT: [textOf(ed25519)] },
      'example.test': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
      '_dmarc.example.test': { TXT: ['v=DMARC1; p=reject'] },
    }),
  );
});
afterAll(() => folder.remove());

describe('zegel keygen', () => {
  test('writes the key for its owner alone and the record beside it, and shows the record', () => {
    expect(statSync(pem('rsa')).mode & 0o777).toBe(0o600);
    expect(readFileSync(pem('rsa'), 'utf8')).toContain('BEGIN PRIVATE KEY');
    expect(readFileSync(inFolder('rsa.example.test.txt'), 'utf8')).toBe(rsa);
    expect(rsa).toMatch(/^rsa\._domainkey\.example\.test\. IN TXT "v=DKIM1; k=rsa; p=/);
    expect(ed25519).toMatch(/^ed\._domainkey\.example\.test\. IN TXT "v=DKIM1; k=ed25519; p=/);
  });

  test('overwrites nothing, and leaves no half', async () => {
    const key = readFileSync(pem('rsa'));
    const again = await run(['keygen', '--domain', 'example.test', '--selector', 'rsa']);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('rsa.example.test.pem');
    expect(readFileSync(pem('rsa')).equals(key)).toBe(true);

    writeFileSync(inFolder('half.example.test.txt'), 'mine');
    const half = await run(['keygen', '--domain', 'example.test', '--selector', 'half']);
    expect(half.status).toBe(1);
    expect(existsSync(pem('half'))).toBe(false);
    expect(readFileSync(inFolder('half.example.test.txt'), 'utf8')).toBe('mine');
  });

  test('makes the folder it is told', async () => {
    const { status } = await run(['keygen', '--domain', 'd.test', '--selector', 's', '--out', 'new/keys']);
    expect(status).toBe(0);
    expect(existsSync(inFolder('new/keys/s.d.test.pem'))).toBe(true);
  });

  test.each([
    [['--selector', 's'], '--domain is missing'],
    [['--domain', 'd.test'], '--selector is missing'],
    [['--domain', 'no domain', '--selector', 's'], 'not a domain name'],
    [['--domain', 'd.test', '--selector', '../../etc/s'], 'not a selector'],
    [['--domain', 'd.test', '--selector', 's', '--algorithm', 'rsa-sha1'], 'rsa-sha256 and ed25519-sha256'],
    [['--domain', 'd.test', '--selector', 's', '--bits', '1024'], '2048 to 4096'],
    [['--domain', 'd.test', '--selector', 's', '--out', '/dev/null/x'], 'ENOTDIR'],
  ])('%j is a bad call', async (args, text) => {
    const { status, stderr, stdout } = await run(['keygen', ...args]);
    expect([status, stdout.length]).toEqual([1, 0]);
    expect(stderr).toContain(text);
  });
});

const signAt = (time: string): readonly string[] =>
  `sign --domain d.test --selector s --key rsa.example.test.pem --now ${time}`.split(' ');

describe('zegel sign', () => {
  test('signs with several keys, and zegel verify says pass for each', async () => {
    const signed = await sign([...both(), '--now', now]);
    expect([signed.status, signed.stderr]).toEqual([0, '']);
    expect(signed.stdout.toString()).toMatch(/^DKIM-Signature: [^]*DKIM-Signature: [^]*\r\nFrom: Alice/);
    expect(signed.stdout.toString().endsWith(hello)).toBe(true);
    const { status, stdout } = await run(['verify', '--dns', zone, '--now', now, '--json'], { stdin: signed.stdout });
    expect(status).toBe(0);
    const report = JSON.parse(stdout.toString());
    expect(report.dkim).toMatchObject([
      { result: 'pass', algorithm: 'rsa-sha256', selector: 'rsa', evidence: { timestamp: now } },
      { result: 'pass', algorithm: 'ed25519-sha256', selector: 'ed' },
    ]);
    expect(report.dmarc.result).toBe('pass');
  });

  test('--fields writes the fields alone, as they stand on top of the signed message', async () => {
    const args = ['--selector', 'ed', '--key', pem('ed'), '--now', now];
    const [fields, signed] = await Promise.all([sign([...args, '--fields']), sign(args)]);
    expect(fields.stdout.toString()).toMatch(/^DKIM-Signature: [^]*\r\n$/);
    expect(Buffer.concat([fields.stdout, Buffer.from(hello)]).equals(signed.stdout)).toBe(true);
  });

  test('--expire is seconds from now, and --input is a file; LF line ends become CRLF', async () => {
    writeFileSync(inFolder('unix.eml'), hello.replaceAll('\r\n', '\n'));
    const args = ['--selector', 'ed', '--key', pem('ed'), '--now', now, '--expire', '60', '--input', 'unix.eml'];
    const { status, stdout } = await sign(args, { stdin: '' });
    expect(status).toBe(0);
    const seconds = Date.parse(now) / 1000;
    expect(stdout.toString().replaceAll(/\r\n[ \t]+/g, ' ')).toMatch(new RegExp(`t=${seconds};.* x=${seconds + 60};`));
    expect(stdout.toString().endsWith(hello)).toBe(true);
  });

  test.each([
    ['no domain', ['sign', '--selector', 's', '--key', 'k'], '--domain is missing'],
    [
      'a selector too many',
      ['sign', '--domain', 'd.test', '--selector', 's', '--selector', 't', '--key', 'k'],
      'its --key',
    ],
    [
      'a key file that is not there',
      ['sign', '--domain', 'd.test', '--selector', 's', '--key', 'none.pem'],
      'none.pem',
    ],
    [
      'a key file that is none',
      ['sign', '--domain', 'd.test', '--selector', 's', '--key', 'zone.json'],
      'not a private key',
    ],
    ['an option nobody knows', ['sign', '--seal'], '--seal'],
    ['an argument that is no option', ['sign', 'message.eml'], 'message.eml'],
    ['a time that is none', signAt('2026-11-24'), 'not a time'],
    ['a time that t= cannot say', signAt('1950-01-01T00:00:00Z'), 'before 1970'],
    ['a time without a zone', signAt('2026-11-24T12:00:00'), 'not a time'],
  ])('%s is a bad call', async (_what, args, text) => {
    const { status, stderr, stdout } = await run(args, { stdin: hello });
    expect([status, stdout.length]).toEqual([1, 0]);
    expect(stderr).toContain(text);
    expect(stderr).toContain('"zegel help sign" tells more');
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test.each([
    ['another domain', 'From: a@other.test\r\n\r\nx', 'signing.domain-mismatch'],
    ['no From', 'To: a@example.test\r\n\r\nx', 'message.no-from'],
    ['an empty message', '', 'message.no-header'],
    ['mixed line ends', `${hello}one\ntwo\r\n`, 'message.bare-line-ends'],
  ])('a message that is not signed is told with its code, and nothing is written: %s', async (_what, stdin, code) => {
    const { status, stderr, stdout } = await sign(['--selector', 'ed', '--key', pem('ed')], { stdin });
    expect([status, stdout.length]).toEqual([1, 0]);
    expect(stderr).toContain(`(${code})`);
  });

  test('a short RSA key does not sign (RFC 8301 §3.2)', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
    writeFileSync(inFolder('short.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const { status, stderr } = await sign(['--selector', 's', '--key', 'short.pem']);
    expect(status).toBe(1);
    expect(stderr).toContain('1024');
  });

  test('a message above 50 MiB is refused', async () => {
    const stdin = Buffer.concat([Buffer.from(hello), Buffer.alloc(52 * 1024 * 1024, 'x')]);
    const { status, stderr } = await sign(['--selector', 'ed', '--key', pem('ed')], { stdin });
    expect(status).toBe(1);
    expect(stderr).toContain('above the limit of 52428800 bytes');
  });
});

describe('zegel verify', () => {
  const session = ['--ip', '192.0.2.1', '--helo', 'h.test', '--mail-from', '<alice@example.test>'];

  test('says for a person what was found', async () => {
    const { status, stdout } = await verify(session);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^dkim=none .*\[dkim\.\S+\]\n[^]*^spf=pass .*\ndmarc=pass /m);
    expect(stdout.toString()).toMatch(/^Authentication-Results: mx\.receiver\.test;/m);
    expect(stdout.toString()).not.toContain('\r');
  });

  test('--message writes the message, ours on top and the forged one gone', async () => {
    const forged = `Authentication-Results: mx.receiver.test; dkim=pass\r\n${hello}`;
    const { stdout } = await verify(['--message', ...session], forged);
    expect(stdout.toString()).toMatch(/^Authentication-Results: mx\.receiver\.test;/);
    expect(stdout.toString().match(/^Authentication-Results:/gm)).toHaveLength(1);
    expect(stdout.toString().endsWith(hello)).toBe(true);
  });

  test('a fail is work done; with --exit-on fail it is exit status 3', async () => {
    const from = ['--ip', '192.0.2.66', '--mail-from', 'alice@example.test'];
    const [plain, strict, good] = await Promise.all([
      verify(from),
      verify([...from, '--exit-on', 'fail']),
      verify([...session, '--exit-on', 'fail']),
    ]);
    expect(plain.stdout.toString()).toMatch(/^dmarc=fail/m);
    expect([plain.status, strict.status, good.status]).toEqual([0, 3, 0]);
    expect(strict.stdout.equals(plain.stdout)).toBe(true);
  });

  test.each([
    [['--ip', '300.1.1.1'], 'ip'],
    [['--now', 'yesterday'], 'not a time'],
    [['--input', 'none.eml'], 'none.eml'],
    [['--exit-on', 'pass'], '--exit-on knows: fail'],
    [['--batch', '--json'], '--batch is about many'],
    [['--json', '--message'], 'give one of them'],
    [['--dns', 'none.json'], 'none.json'],
    [['--dns', 'rsa.example.test.txt'], 'is not JSON'],
  ])('%j is a bad call', async (args, text) => {
    const { status, stderr, stdout } = await verify(args);
    expect([status, stdout.length]).toEqual([1, 0]);
    expect(stderr).toContain(text);
  });

  test('a zone that is malformed is told with the place', async () => {
    writeFileSync(inFolder('bad.json'), '{"a.test":{"A":["no address"]}}');
    const { status, stderr } = await verify(['--dns', 'bad.json']);
    expect(status).toBe(1);
    expect(stderr).toContain('a.test');
  });

  test('a DNS server that is not there is temperror, and that is an answer', async () => {
    const env = { ZEGEL_DNS_SERVERS: `127.0.0.1:${await freePort()}` };
    const { status, stdout } = await run(['verify', ...session], { stdin: hello, env });
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^spf=temperror/m);
  });

  test('a list of DNS servers that makes no sense is a bad call', async () => {
    const { status, stderr } = await run(['verify'], { stdin: hello, env: { ZEGEL_DNS_SERVERS: 'not an address' } });
    expect(status).toBe(1);
    expect(stderr).toContain('ZEGEL_DNS_SERVERS');
  });
});

describe('zegel spf', () => {
  test('shows every term that was looked at', async () => {
    const { status, stdout } = await spf(['--ip', '192.0.2.2', '--mail-from', 'a@example.test']);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^spf=fail /);
    expect(stdout.toString()).toContain('ip4:192.0.2.1');
    expect(stdout.toString()).toMatch(/^\* .*-all/m);
  });

  test('--json holds the whole result; without --mail-from HELO is checked', async () => {
    const { stdout } = await spf(['--ip', '192.0.2.1', '--helo', 'example.test', '--json']);
    expect(JSON.parse(stdout.toString())).toMatchObject({ result: 'pass', identity: 'helo' });
  });

  test.each([
    [['--mail-from', 'a@example.test'], '--ip is missing'],
    [['--ip', '192.0.2.1'], '--mail-from or --helo is missing'],
    [['--ip', '192.0.2', '--mail-from', 'a@example.test'], 'ip must be'],
  ])('%j is a bad call', async (args, text) => {
    const { status, stderr } = await spf(args);
    expect(status).toBe(1);
    expect(stderr).toContain(text);
  });
});

describe('zegel', () => {
  test('help lists the commands, and knows each of them', async () => {
    const { status, stdout } = await run([]);
    expect(status).toBe(0);
    const names = [...stdout.toString().matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name ?? '');
    expect(names).toEqual([
      'serve',
      'milter',
      'sign',
      'verify',
      'spf',
      'keygen',
      'config',
      'explain',
      'import',
      'help',
      'version',
    ]);
    for (const name of names.slice(0, -2)) {
      const [help, option] = await Promise.all([run(['help', name]), run([name, '--help'])]);
      expect([name, help.status, option.status]).toEqual([name, 0, 0]);
      expect(help.stdout.toString()).toMatch(new RegExp(`^zegel ${name}`));
      expect(option.stdout.equals(help.stdout)).toBe(true);
    }
  });

  test('version tells the version and the Node it runs on', async () => {
    for (const args of [['version'], ['--version']]) {
      const { status, stdout } = await run(args);
      expect(status).toBe(0);
      expect(stdout.toString()).toBe(`zegel 0.1.0, Node ${process.versions.node}\n`);
    }
  });

  test.each([[['seal']], [['help', 'seal']], [['toString']], [['help', 'constructor']]])(
    '%j is a bad call',
    async (args) => {
      const { status, stderr } = await run(args);
      expect(status).toBe(1);
      expect(stderr).toContain('there is no command');
      expect(stderr).toContain('"zegel help" tells more');
    },
  );

  test('lost infrastructure is exit status 2, a configuration that cannot work is 1', async () => {
    const [lost, bad] = await Promise.all([
      run(['serve', '--data', 'data'], {
        env: {
          DATABASE_URL: `postgres://postgres@127.0.0.1:${await freePort()}/none`,
          ZEGEL_LISTEN: '127.0.0.1:0',
          ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
        },
      }),
      run(['serve', '--listen', 'nowhere']),
    ]);
    expect(lost.status).toBe(2);
    expect(lost.stderr).toContain('database.unavailable');
    expect(bad.status).toBe(1);
    expect(bad.stderr).toContain('ZEGEL_LISTEN');
  });
});
