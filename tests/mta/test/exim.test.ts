import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder, TestProcess } from '@zegel/test-harness';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startExim } from '../src/exim.ts';
import type { Exim } from '../src/exim.ts';
import { SmtpClient } from '../src/smtp-client.ts';
import { startSmtpSink } from '../src/smtp-sink.ts';
import type { SmtpSink } from '../src/smtp-sink.ts';

/** Exim by the HTTP door: the recipe of infra/mta/exim, against a whole `zegel serve` with its demo domain. */

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const launcher = fileURLToPath(new URL('../../../services/cli/bin/zegel.mjs', import.meta.url));
const alice = { name: 'alice@example.test', password: 'correct horse' };

let folder: TemporaryFolder;
let port: number;
let zegel: TestProcess;
let token: string;
let sink: SmtpSink;
let exim: Exim;

beforeAll(async () => {
  folder = temporaryFolder('exim');
  port = await freePort();
  zegel = await startZegel();
  token = readFileSync(path.join(folder.path, 'admin-token'), 'utf8').trim();
  sink = await startSmtpSink();
  exim = await startExim({ sink: sink.port, api: `http://127.0.0.1:${port}`, token, login: alice });
});
afterAll(async () => {
  await exim?.[Symbol.asyncDispose]();
  await sink?.stop();
  await zegel?.kill('SIGKILL');
  folder?.remove();
});

async function startZegel(): Promise<TestProcess> {
  const started = await startNode(launcher, ['serve', '--data', folder.path, '--listen', `127.0.0.1:${port}`], {
    env: { ZEGEL_METRICS_LISTEN: '127.0.0.1:0', AUTHSERV_ID: 'mx.example.net' },
  });
  await started.waitForLine(/"msg":"started"/, 300_000);
  return started;
}

async function ask(route: string, raw: Uint8Array, accept: string): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/${route}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'message/rfc822', Accept: accept },
    body: Buffer.from(raw),
  });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function dkimOf(raw: Uint8Array): Promise<readonly string[]> {
  const report = JSON.parse((await ask('verify', raw, 'application/json')).toString());
  return report.dkim.map(({ code }: { code: string }) => code);
}

const lines = (...list: readonly string[]): Buffer => Buffer.from(list.map((line) => `${line}\r\n`).join(''), 'latin1');

/** What Exim might change, and what it must not. */
const awkward = (subject: string) =>
  lines(
    'From: Alice <alice@example.test>',
    'To: bob@example.net',
    `Subject: ${subject}`,
    ' folded',
    'Date: Tue, 24 Nov 2026 12:00:00 +0000',
    'Message-ID: <1@example.test>',
    'X-Odd:no space',
    '',
    '.a line with a dot',
    '..',
    `caf\xe9 and blanks  \t`,
    '',
    'the end',
    '',
  );

async function send(options: { login?: typeof alice; sender: string; raw: Buffer }) {
  const { login, sender, raw } = options;
  await using client = await SmtpClient.open({ port: exim.port, ...(login === undefined ? {} : { login }) });
  return await client.send({ sender, recipients: ['bob@example.net'], raw });
}

test('what a login sends arrives signed, with both keys, and the signatures hold', async () => {
  expect(exim.version).toMatch(/^4\./);
  expect(await send({ login: alice, sender: 'alice@example.test', raw: awkward('out') })).toMatchObject({ code: 250 });
  const [arrived] = await sink.waitFor(({ raw }) => raw.includes('Subject: out'));
  expect(await dkimOf(arrived!.raw)).toEqual(['dkim.pass', 'dkim.pass']);
  expect(arrived!.raw.includes(lines('.a line with a dot', '..', `caf\xe9 and blanks  \t`))).toBe(true);
});

test('a login does not send as somebody else', async () => {
  const raw = Buffer.from(awkward('forged').toString('latin1').replace('alice@', 'ceo@'), 'latin1');
  const reply = await send({ login: alice, sender: 'alice@example.test', raw });
  expect([reply.code, reply.text]).toEqual([550, expect.stringContaining('5.7.1')]);
});

test('what comes in arrives with one Authentication-Results of ours, on top, and the forged ones are gone', async () => {
  const forged = lines(
    'Authentication-Results: mx.example.net; dkim=pass header.d=bank.test',
    'Authentication-Results: mx.elsewhere.test; spf=pass',
    'authentication-results: MX.example.net 1; dmarc=pass',
    'Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000',
    'Authentication-Results: "mx.example.net"; arc=pass',
  );
  const signed = await ask('sign', awkward('in'), 'message/rfc822');
  const raw = Buffer.concat([forged, signed]);
  expect(await send({ sender: 'alice@example.test', raw })).toMatchObject({ code: 250 });
  const [arrived] = await sink.waitFor(({ raw: each }) => each.includes('Subject: in'));
  const header = arrived!.raw
    .toString('latin1')
    .split('\r\n\r\n', 1)[0]!
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const results = header.filter((line) => /^authentication-results/i.test(line));
  expect(header[0]).toMatch(
    /^Authentication-Results: mx\.example\.net; .*dkim=pass .*dkim=pass .*spf=pass .*dmarc=pass/,
  );
  expect(results).toEqual([header[0], 'Authentication-Results: mx.elsewhere.test; spf=pass']);
});

test('while Zegel is down nothing leaves unsigned: it waits in the queue, and goes signed', async () => {
  await zegel.kill('SIGTERM');
  expect(await send({ login: alice, sender: 'alice@example.test', raw: awkward('later') })).toMatchObject({
    code: 250,
  });
  await vi.waitFor(() => expect(exim.log()).toMatch(/== bob@example\.net .*defer/), { timeout: 60_000, interval: 100 });
  expect(await exim.queue()).toContain('bob@example.net');
  expect(sink.deliveries.some(({ raw }) => raw.includes('Subject: later'))).toBe(false);
  zegel = await startZegel();
  await exim.runQueue();
  const [arrived] = await sink.waitFor(({ raw }) => raw.includes('Subject: later'));
  expect(await dkimOf(arrived!.raw)).toEqual(['dkim.pass', 'dkim.pass']);
  expect(await exim.queue()).toBe('');
});
