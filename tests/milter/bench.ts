import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSigningKey, formatKeyRecord, generateKeyPair, signMessage } from '@zegel/dkim';
import { readOptions, temporaryFolder } from '@zegel/test-harness';
import { signaturesPerCpuSecond } from './src/bench/calibration.ts';
import { contenders } from './src/bench/contenders.ts';
import type { BenchGround, Contender, Running } from './src/bench/contenders.ts';
import { startNameServer } from './src/bench/name-server.ts';
import { quantile, runLoad } from './src/load-client.ts';
import type { LoadOptions } from './src/load-client.ts';
import { cpuSeconds } from './src/process-cost.ts';
import { sampleMail } from './src/sample-mail.ts';

const usage = `npm run bench -- milter [OPTIONS]: compares milters by the messages that a processor second of theirs answers, as a fraction
of the RSA signatures that one makes. Peers want root and the Debian packages opendkim, opendmarc and rspamd; one that is
missing is named and left out.

  --only NAME     one milter: ${[...new Set(contenders.map(({ name }) => name))].join(', ')}
  --task TASK     sign or verify
  --messages N    of each round (default 2000)
  --rounds N      (default 3)
  --bytes N       of a message (default 10000)`;
const values = readOptions(usage, {
  only: { type: 'string' },
  task: { type: 'string' },
  messages: { type: 'string', default: '2000' },
  rounds: { type: 'string', default: '3' },
  bytes: { type: 'string', default: '10000' },
});
const messages = Number(values.messages);
const rounds = Number(values.rounds);

const domain = 'example.org';
const selector = 's1';
const { privateKey, publicKey } = await generateKeyPair('rsa-sha256');
const plain = sampleMail(Number(values.bytes));
const signed = Buffer.concat([
  await signMessage(plain, { keys: [createSigningKey({ domain, selector, privateKey })] }),
  plain,
]);

using folder = temporaryFolder('milter-bench');
const keyFile = path.join(folder.path, 'key.pem');
writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
await using nameServer = await startNameServer(folder.path, domain, {
  [domain]: 'v=spf1 ip4:192.0.2.0/24 -all',
  [`${selector}._domainkey.${domain}`]: formatKeyRecord(publicKey),
  [`_dmarc.${domain}`]: 'v=DMARC1; p=none',
});
const ground: BenchGround = { folder: folder.path, keyFile, domain, selector, nameServer: nameServer.address };

/** Milliseconds a milter has to start: rspamd compiles its rules first. */
const startMs = 60_000;

interface Measured {
  readonly fraction: number;
  readonly p99: number;
  readonly perSecond: number;
}

const chosen = contenders.filter(
  ({ name, task }) => (values.only === undefined || name === values.only) && (values.task ?? task) === task,
);
console.log('| task | milter | checks | new connection each | reused | p99 at 50 connections | messages/s |');
console.log('| --- | --- | --- | ---: | ---: | ---: | ---: |');
const leftOut: string[] = [];
for (const contender of chosen) {
  const { task, name, checks } = contender;
  try {
    console.log(`| ${[task, name, checks, ...(await cellsOf(contender))].join(' | ')} |`);
  } catch (error) {
    // A peer that is not installed, or whose work cannot be seen in its answers, is no reason to measure none of the others.
    if (name === 'zegel') throw error;
    const why = error instanceof Error ? error.message : String(error);
    leftOut.push(`${name} (${task}): ${why.replaceAll(/\s+/g, ' ').trim()}`);
  }
}
if (leftOut.length > 0) console.log(`\nLeft out:\n${leftOut.map((why) => `- ${why}`).join('\n')}`);

async function cellsOf(contender: Contender): Promise<readonly string[]> {
  const running = await contender.start(ground);
  try {
    await untilListening(running);
    const options = loadOf(contender, running);
    // A milter runs for months: its first thousands of messages, in which a compiler is still at work, are not measured.
    await runLoad({ ...options, connections: 10, perConnection: 100 });
    await runLoad({ ...options, connections: 10, perConnection: 1 });
    const fresh: Measured[] = [];
    const reused: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      fresh.push(await measure(running, { ...options, perConnection: 1 }));
      reused.push(await measure(running, { ...options, perConnection: 100 }));
    }
    const busy = await measure(running, { ...options, connections: 50, perConnection: 1 });
    return [
      median(fresh.map(({ fraction }) => fraction)).toFixed(2),
      median(reused.map(({ fraction }) => fraction)).toFixed(2),
      `${busy.p99.toFixed(0)} ms`,
      median(reused.map(({ perSecond }) => perSecond)).toFixed(0),
    ];
  } finally {
    await running.process.kill('SIGTERM');
  }
}

function loadOf({ task }: Contender, { socket }: Running): Omit<LoadOptions, 'perConnection'> {
  const wanted = task === 'sign' ? /^dkim-signature$/i : /^authentication-results$/i;
  return {
    target: { path: socket },
    messages,
    connections: 10,
    login: task === 'sign' ? 'ann@example.org' : null,
    client: { address: '192.0.2.7', name: 'mail.example.org' },
    sender: 'ann@example.org',
    raw: task === 'sign' ? plain : signed,
    check({ verdict, modifications }) {
      const isDone = modifications.some(
        (change) => 'name' in change && wanted.test(Buffer.from(change.name).toString()),
      );
      if (!isDone) {
        throw new Error(
          `its answers do not show that it did its work: ${JSON.stringify(verdict)}, ${modifications.length} modifications`,
        );
      }
    },
  };
}

/** Calibrated right before, so that a change of the processor's speed does not count. */
async function measure({ process }: Running, options: LoadOptions): Promise<Measured> {
  const floor = signaturesPerCpuSecond(0.7);
  const before = cpuSeconds(process.pid);
  const { seconds, latencies } = await runLoad(options);
  const used = cpuSeconds(process.pid) - before;
  return {
    fraction: options.messages / used / floor,
    p99: quantile(latencies, 0.99),
    perSecond: options.messages / seconds,
  };
}

async function untilListening({ socket, process }: Running): Promise<void> {
  const began = performance.now();
  for (;;) {
    if (existsSync(socket)) {
      const probe = connect(socket);
      const isOpen = await once(probe, 'connect').then(
        () => true,
        () => false,
      );
      probe.destroy();
      if (isOpen) return;
    }
    if (performance.now() - began > startMs) throw new Error(`nobody listens on ${socket}: ${process.output()}`);
    await delay(50);
  }
}

function median(numbers: readonly number[]): number {
  return quantile(
    numbers.toSorted((one, other) => one - other),
    0.5,
  );
}
