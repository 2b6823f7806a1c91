import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createSigningKey, formatKeyRecord, generateKeyPair, signMessage } from '@zegel/dkim';
import { temporaryFolder } from '@zegel/test-harness';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileCache, launcher, zegel } from './zegel.ts';

const hello = Buffer.from('From: a@example.test\r\nSubject: Hello\r\n\r\nHello\r\n');
const signedAt = Date.UTC(2026, 10, 24) / 1000;
let signed: Buffer;
let dns: object;

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('ed25519-sha256');
  const key = createSigningKey({ domain: 'example.test', selector: 's', privateKey });
  const field = await signMessage(hello, { keys: [key], now: new Date(signedAt * 1000), validity: 3_600 });
  signed = Buffer.concat([field, hello]);
  dns = { 's._domainkey.example.test': { TXT: [formatKeyRecord(publicKey)] } };
});

// oxlint-disable-next-line typescript/no-explicit-any -- a wrong guess about its shape fails the test that made it
type Line = any;

async function batch(lines: readonly unknown[], args: readonly string[] = [], cwd?: string): Promise<Line[]> {
  const stdin = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const { status, stdout, stderr } = await zegel(['verify', '--batch', ...args], {
    stdin,
    ...(cwd === undefined ? {} : { cwd }),
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
const results = (lines: readonly Line[]) =>
  lines.map(({ id, report, error }) => [id, report?.dkim[0].result ?? error.code]);

describe('zegel verify --batch', () => {
  test('answers in order, a line for a line, and a bad one keeps nothing from the others', async () => {
    const raw = signed.toString('base64');
    const lines = await batch([
      { id: 'good', raw_base64: raw, dns, now: signedAt },
      'this is no JSON',
      { id: 'no message' },
      { id: 7, raw_base64: raw, dns, now: signedAt },
      '[]',
      { id: 'no base64', raw_base64: '!!!!' },
      { id: 'short base64', raw_base64: 'QUJDRE' },
      { id: 'bad zone', raw_base64: raw, dns: { 'a.test': { A: ['nonsense'] } } },
      { id: 'bad ip', raw_base64: raw, dns, ip: 'nonsense' },
      { id: 'bad time', raw_base64: raw, dns, now: 'yesterday' },
      { id: 'no file', file: 'there-is-none.eml' },
      { id: { odd: true }, raw_base64: raw },
      '',
      { id: 'last', raw_base64: raw, dns, now: signedAt },
    ]);
    expect(results(lines)).toEqual([
      ['good', 'pass'],
      [null, 'cli.not-json'],
      ['no message', 'cli.usage'],
      [7, 'pass'],
      [null, 'cli.usage'],
      ['no base64', 'cli.usage'],
      ['short base64', 'cli.usage'],
      ['bad zone', 'cli.usage'],
      ['bad ip', 'cli.usage'],
      ['bad time', 'cli.usage'],
      ['no file', 'cli.usage'],
      [null, 'cli.usage'],
      ['last', 'pass'],
    ]);
    expect(lines[0].edits).toEqual({
      remove: [],
      prepend: [expect.stringMatching(/^Authentication-Results: [^]*dkim=pass[^]*\r\n$/)],
    });
  });

  test('`file` is a path, `now` is RFC 3339 or seconds, `dns` and `now` of the command hold where a line has none', async () => {
    using folder = temporaryFolder('batch');
    writeFileSync(path.join(folder.path, 'signed.eml'), signed);
    writeFileSync(path.join(folder.path, 'zone.json'), JSON.stringify(dns));
    const file = 'signed.eml';
    const lines = await batch(
      [
        { id: 'command', file },
        { id: 'seconds', file, now: signedAt + 60 },
        { id: 'text', file, now: '2026-11-24T01:01:00+01:00' },
        { id: 'expired', file, now: '2026-11-24T02:00:00Z' },
        { id: 'other zone', file, dns: { 's._domainkey.example.test': 'NXDOMAIN' } },
        { id: 'absolute', file: path.join(folder.path, 'signed.eml') },
        { id: 'nulls', file, now: null, dns: null, ip: null, helo: null, mailFrom: null },
      ],
      ['--dns', 'zone.json', '--now', '2026-11-24T00:30:00Z'],
      folder.path,
    );
    expect(results(lines)).toEqual([
      ['command', 'pass'],
      ['seconds', 'pass'],
      ['text', 'pass'],
      ['expired', 'fail'],
      ['other zone', 'permerror'],
      ['absolute', 'pass'],
      ['nulls', 'pass'],
    ]);
  });

  test('the envelope of a line is what SPF is checked for', async () => {
    const zone = { 'example.test': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] } };
    const common = { raw_base64: hello.toString('base64'), dns: zone, mailFrom: '<a@example.test>', helo: 'h.test' };
    const lines = await batch([
      { ...common, ip: '192.0.2.1' },
      { ...common, ip: '192.0.2.2' },
      { ...common, ip: '' },
    ]);
    expect(lines.map(({ report }) => report.spf.mailFrom.result)).toEqual(['pass', 'fail', 'none']);
  });

  test('U+2028, U+2029 and a lone CR in a line do not end it, CRLF does', async () => {
    const raw = signed.toString('base64');
    const id = 'a\u2028b\u2029c';
    const lines = await batch([`{"id":"${id}","raw_base64":"${raw}"}\r`, `{"id":2,\r"raw_base64":"${raw}"}`]);
    expect(lines.map((line) => line.id)).toEqual([id, 2]);
  });

  test('500 lines keep their order', async () => {
    const raw = signed.toString('base64');
    const given = Array.from({ length: 500 }, (_, id) => ({ id, raw_base64: raw, dns, now: signedAt }));
    const lines = await batch(given);
    expect(results(lines)).toEqual(given.map(({ id }) => [id, 'pass']));
  });

  test('a reader that goes away ends it without a word', async () => {
    const raw = signed.toString('base64');
    const child = spawn('/bin/sh', ['-c', '"$0" "$1" verify --batch | head -n 1', process.execPath, launcher], {
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    const line = `${JSON.stringify({ id: 1, raw_base64: raw, dns, now: signedAt })}\n`;
    child.stdin.end(line.repeat(2_000));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});
