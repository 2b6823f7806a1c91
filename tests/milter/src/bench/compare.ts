import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSigningKey, formatKeyRecord, generateKeyPair, signMessage } from '@zegel/dkim';
import { cpuSeconds, temporaryFolder } from '@zegel/test-harness';
import { quantile, runLoad } from '../load-client.ts';
import type { LoadOptions } from '../load-client.ts';
import { sampleMail } from '../sample-mail.ts';
import { signaturesPerCpuSecond } from './calibration.ts';
import type { BenchGround, Contender, Running } from './contenders.ts';
import { startNameServer } from './name-server.ts';

export interface CompareOptions {
  /** Of each round. A third as many go before: the milter was idle, and others had the caches of its processor. */
  readonly messages: number;
  readonly rounds: number;
  /**
   * Messages before anything is measured, over new connections and again over reused ones. A milter runs for months,
   * and V8 compiles for some thousand messages.
   */
  readonly warmUp: number;
  /** Of a message. */
  readonly bytes: number;
  /** Processor seconds of each calibration. */
  readonly calibrationSeconds: number;
}

/** What one milter makes: messages for each of its processor seconds, as a fraction of the RSA signatures that one makes. */
export interface Comparison {
  readonly contender: Contender;
  /** At a time. */
  readonly connections: number;
  readonly newConnections: number;
  readonly reused: number;
  /** Milliseconds below which 99 % of the answers come, over new connections. */
  readonly p99: number;
  /** Messages per second by the clock, over reused connections. */
  readonly perSecond: number;
}

/** A contender that could not be measured, with the reason. */
export interface LeftOut {
  readonly contender: Contender;
  readonly error: unknown;
}

export function isLeftOut(outcome: Comparison | LeftOut): outcome is LeftOut {
  return 'error' in outcome;
}

const domain = 'example.org';
const selector = 's1';

/** Connections at a time, as many as a busy mail server has, and messages over one where it is reused. */
const usualConnections = 50;
const perReused = 100;

/** Milliseconds a milter has to start: rspamd compiles its rules first. */
const startMs = 60_000;

/** Measures one milter after the other, each beside the same load. Needs root. */
export async function* compare(
  contenders: readonly Contender[],
  options: CompareOptions,
): AsyncGenerator<Comparison | LeftOut> {
  const { privateKey, publicKey } = await generateKeyPair('rsa-sha256');
  const plain = sampleMail(options.bytes);
  const signature = await signMessage(plain, { keys: [createSigningKey({ domain, selector, privateKey })] });
  const mails = { sign: plain, verify: Buffer.concat([signature, plain]) };

  using folder = temporaryFolder('milter-bench');
  const keyFile = path.join(folder.path, 'key.pem');
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  await using nameServer = await startNameServer(folder.path, domain, {
    [domain]: 'v=spf1 ip4:192.0.2.0/24 -all',
    [`${selector}._domainkey.${domain}`]: formatKeyRecord(publicKey),
    [`_dmarc.${domain}`]: 'v=DMARC1; p=none',
  });
  const ground: BenchGround = { folder: folder.path, keyFile, domain, selector, nameServer: nameServer.address };
  for (const contender of contenders) {
    try {
      yield await measureOne(contender, ground, mails[contender.task], options);
    } catch (error) {
      // A peer that is not installed, or whose work cannot be seen in its answers, is no reason to measure none of the others.
      yield { contender, error };
    }
  }
}

async function measureOne(
  contender: Contender,
  ground: BenchGround,
  raw: Uint8Array,
  { messages, rounds, warmUp, calibrationSeconds }: CompareOptions,
): Promise<Comparison> {
  const running = await contender.start(ground);
  try {
    await untilListening(running);
    const connections = contender.connections ?? usualConnections;
    const load = { ...loadOf(contender, running), raw, messages, connections };
    for (const perConnection of [perReused, 1]) await runLoad({ ...load, messages: warmUp, perConnection });
    const fresh: Measured[] = [];
    const reused: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      fresh.push(await measure(running, { ...load, perConnection: 1 }, calibrationSeconds));
      reused.push(await measure(running, { ...load, perConnection: perReused }, calibrationSeconds));
    }
    return {
      contender,
      connections,
      newConnections: median(fresh.map(({ fraction }) => fraction)),
      reused: median(reused.map(({ fraction }) => fraction)),
      p99: median(fresh.map(({ p99 }) => p99)),
      perSecond: median(reused.map(({ perSecond }) => perSecond)),
    };
  } finally {
    await running.process.kill('SIGTERM');
  }
}

function loadOf(
  { task }: Contender,
  { socket }: Running,
): Pick<LoadOptions, 'target' | 'login' | 'client' | 'sender' | 'check'> {
  const wanted = task === 'sign' ? /^dkim-signature$/i : /^authentication-results$/i;
  return {
    target: { path: socket },
    login: task === 'sign' ? 'ann@example.org' : null,
    client: { address: '192.0.2.7', name: 'mail.example.org' },
    sender: 'ann@example.org',
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

interface Measured {
  readonly fraction: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
}

/** Calibrated right before and right after: the speed of a processor changes within seconds where others share the machine. */
async function measure({ process }: Running, load: LoadOptions, calibrationSeconds: number): Promise<Measured> {
  const before = signaturesPerCpuSecond(calibrationSeconds);
  await runLoad({ ...load, messages: Math.ceil(load.messages / 3) });
  const start = cpuSeconds(process.pid);
  const { seconds, latencies } = await runLoad(load);
  const used = cpuSeconds(process.pid) - start;
  const after = signaturesPerCpuSecond(calibrationSeconds);
  return {
    fraction: load.messages / used / ((before + after) / 2),
    perSecond: load.messages / seconds,
    p99: quantile(latencies, 0.99),
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
