import { sign } from 'node:crypto';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { threadSeconds } from '@zegel/test-harness';
import type { Ground } from './ground.ts';
import { heard } from './heard.ts';
import { load } from './load.ts';
import type { LoadReport, LoadTarget } from './load.ts';
import { message } from './messages.ts';
import { inProcess, median, quantile, timesRate } from './race.ts';

export const restModes = ['express', 'zegel-sync', 'zegel-inline', 'zegel', 'mailauth'] as const;
export type RestMode = (typeof restModes)[number];

export interface RestRow {
  readonly mode: RestMode;
  /** Requests per second of the server's processor time, median of the rounds. */
  readonly rate: number;
  /** That as a fraction of bare RSA signatures per second of processor time, made right before and right after. */
  readonly fraction: number;
  /** Requests per second by the clock. */
  readonly throughput: number;
  /** That beside the server that signs at once in each request; 1 where that one does not take part. */
  readonly timesSync: number;
}

/** What those who ask one server wait, when it is the only one and nothing interrupts it. */
export interface RestWait {
  readonly mode: RestMode;
  /** Answers per second by the clock. */
  readonly throughput: number;
  /** Milliseconds until half of the answers, and until 99 % of them. */
  readonly p50: number;
  readonly p99: number;
  /** The same of the stretches that a tenth keep below: in moments when neighbours leave the cores alone, if there are such. */
  readonly quietP50: number;
  readonly quietP99: number;
}

export interface RestReport {
  readonly connections: number;
  /** RSA-2048 signatures per second of processor time. */
  readonly rsaRate: number;
  readonly rows: readonly RestRow[];
  readonly waits: readonly RestWait[];
}

export interface RestOptions {
  readonly modes: readonly RestMode[];
  /**
   * Rounds before anything is measured. A server runs for months, and V8 is still busy with its code in the first ten thousand
   * requests.
   */
  readonly warmUpRounds: number;
  readonly rounds: number;
  /**
   * Seconds of one server in one round, about; a third as long goes before. They are short, since V8 throws away compiled code of
   * a process that has had nothing to do for eight seconds, and compiles it anew on the core that the server needs.
   */
  readonly turnSeconds: number;
  /** Those of which the time of an answer is measured as well, each by itself. */
  readonly waitModes: readonly RestMode[];
  /** Answers before that, and answers that count: some stretches, each measured for itself. */
  readonly waitWarmUp: number;
  readonly stretches: number;
}

const connections = 50;
/** Answers of one stretch: a second or so. */
const stretchAnswers = 1_500;
/** Signatures by which the speed of the machine is told between two turns. */
const calibrationCount = 50;
const program = path.join(import.meta.dirname, '../programs/rest-server.ts');

/** Signing of 10 kB over HTTP, under a closed loop of 50 connections: how fast, and what an answer takes. */
export async function measureRest(ground: Ground, options: RestOptions): Promise<RestReport> {
  const raw = message(ground.domain, 'text', 10_000);
  const waits: RestWait[] = [];
  for (const mode of options.waitModes) waits.push(await measureWait(mode, ground, raw, options));
  return { connections, ...(await raceServers(ground, raw, options)), waits };
}

/**
 * One server by itself, with fifty requests under way all of the time. In a race it would be idle most of the time, and another
 * server than the one that a service is.
 */
async function measureWait(
  mode: RestMode,
  ground: Ground,
  raw: Buffer,
  { waitWarmUp, stretches }: RestOptions,
): Promise<RestWait> {
  const server = await startServer(mode, ground);
  try {
    const requests = stretches * stretchAnswers;
    const { latencies, throughput } = await load(server, raw, { connections, before: waitWarmUp, requests });
    const parts = Array.from({ length: stretches }, (_, at) => [
      ...latencies.subarray(at * stretchAnswers, (at + 1) * stretchAnswers),
    ]);
    const quiet = (share: number): number =>
      quantile(
        parts.map((part) => quantile(part, share)),
        0.1,
      );
    const all = [...latencies];
    return {
      mode,
      throughput,
      p50: quantile(all, 0.5),
      p99: quantile(all, 0.99),
      quietP50: quiet(0.5),
      quietP99: quiet(0.99),
    };
  } finally {
    server.child.disconnect();
  }
}

/** Servers that take turns. */
async function raceServers(
  ground: Ground,
  raw: Buffer,
  { modes, warmUpRounds, rounds, turnSeconds }: RestOptions,
): Promise<Pick<RestReport, 'rsaRate' | 'rows'>> {
  const data = Buffer.alloc(1_000, 'header');
  const rsa = inProcess('rsa', () => sign('sha256', data, ground.rsaKey));
  const servers = await Promise.all(modes.map((mode) => startServer(mode, ground)));
  const calibrate = async (): Promise<number> => calibrationCount / (await rsa.run(calibrationCount));
  const rsaRates: number[][] = servers.map(() => []);
  const rates: number[][] = servers.map(() => []);
  const throughputs: number[][] = servers.map(() => []);
  try {
    const counts = servers.map(() => connections);
    const turn = (server: Server, index: number): Promise<LoadReport> => {
      const requests = counts[index] ?? connections;
      return load(server, raw, { connections, before: Math.ceil(requests / 3), requests });
    };
    for (let round = 0; round < warmUpRounds; round++) {
      for (const [index, server] of servers.entries()) {
        const { throughput } = await turn(server, index);
        // Answers come in groups, so a turn is whole rounds of the connections: of a part, the clock would see too much
        // or too little.
        counts[index] = Math.ceil((throughput * turnSeconds) / connections) * connections;
      }
    }
    let limitBefore = await calibrate();
    for (let round = 0; round < rounds; round++) {
      for (const [index, server] of servers.entries()) {
        const report = await turn(server, index);
        const limitAfter = await calibrate();
        rsaRates[index]?.push((limitBefore + limitAfter) / 2);
        limitBefore = limitAfter;
        rates[index]?.push(report.rate);
        throughputs[index]?.push(report.throughput);
      }
    }
  } finally {
    // They end by themselves then, and take their folders with them.
    for (const server of servers) server.child.disconnect();
  }
  const synchronous = throughputs[modes.indexOf('zegel-sync')];
  const rows = modes.map((mode, index): RestRow => {
    const throughput = throughputs[index] ?? [];
    return {
      mode,
      rate: median(rates[index] ?? []),
      fraction: timesRate(rates[index] ?? [], rsaRates[index] ?? []),
      throughput: median(throughput),
      timesSync: timesRate(throughput, synchronous ?? throughput),
    };
  });
  return { rsaRate: median(rsaRates.flat()), rows };
}

interface Server extends LoadTarget {
  readonly child: ChildProcess;
}

async function startServer(mode: RestMode, ground: Ground): Promise<Server> {
  const child = fork(program, [mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const { domain, selector, edSelector, privateKeyPem, edPrivateKeyPem, spf } = ground;
  child.send({ domain, selector, edSelector, privateKeyPem, edPrivateKeyPem, spf });
  const { port, token } = await heard<{ port: number; token: string }>(child, `The server ${mode}`);
  return { child, port, token, cpuSeconds: () => threadSeconds(child.pid ?? 0) };
}
