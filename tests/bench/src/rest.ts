import { sign } from 'node:crypto';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
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
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** The 99 % of what a tenth of the rounds keep below: in moments when neighbours leave the cores alone, if there are such. */
  readonly quietP99: number;
}

export interface RestReport {
  readonly connections: number;
  /** RSA-2048 signatures per second of processor time. */
  readonly rsaRate: number;
  readonly rows: readonly RestRow[];
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
}

const connections = 50;
/** Signatures by which the speed of the machine is told between two turns. */
const calibrationCount = 50;
const program = path.join(import.meta.dirname, '../programs/rest-server.ts');

/** Signing of 10 kB over HTTP: servers that take turns, under a closed loop of 50 connections. */
export async function measureRest(
  ground: Ground,
  { modes, warmUpRounds, rounds, turnSeconds }: RestOptions,
): Promise<RestReport> {
  const raw = message(ground.domain, 'text', 10_000);
  const data = Buffer.alloc(1_000, 'header');
  const rsa = inProcess('rsa', () => sign('sha256', data, ground.rsaKey));
  const servers = await Promise.all(modes.map((mode) => startServer(mode, ground)));
  const calibrate = async (): Promise<number> => calibrationCount / (await rsa.run(calibrationCount));
  const rsaRates: number[][] = servers.map(() => []);
  const rates: number[][] = servers.map(() => []);
  const throughputs: number[][] = servers.map(() => []);
  const latencies: number[][] = servers.map(() => []);
  const slowest: number[][] = servers.map(() => []);
  try {
    const counts = servers.map(() => connections);
    const turn = (server: Server, index: number): Promise<LoadReport> => {
      const requests = counts[index] ?? connections;
      return load(server, raw, { connections, before: Math.ceil(requests / 3), requests });
    };
    for (let round = 0; round < warmUpRounds; round++) {
      for (const [index, server] of servers.entries()) {
        const { throughput } = await turn(server, index);
        counts[index] = Math.ceil(throughput * turnSeconds);
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
        latencies[index]?.push(...report.latencies);
        slowest[index]?.push(quantile([...report.latencies], 0.99));
      }
    }
  } finally {
    // They end by themselves then, and take their folders with them.
    for (const server of servers) server.child.disconnect();
  }
  const synchronous = throughputs[modes.indexOf('zegel-sync')];
  const rows = modes.map((mode, index): RestRow => {
    const times = latencies[index] ?? [];
    const throughput = throughputs[index] ?? [];
    return {
      mode,
      rate: median(rates[index] ?? []),
      fraction: timesRate(rates[index] ?? [], rsaRates[index] ?? []),
      throughput: median(throughput),
      timesSync: timesRate(throughput, synchronous ?? throughput),
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      quietP99: quantile(slowest[index] ?? [], 0.1),
    };
  });
  return { connections, rsaRate: median(rsaRates.flat()), rows };
}

interface Server extends LoadTarget {
  readonly child: ChildProcess;
}

async function startServer(mode: RestMode, ground: Ground): Promise<Server> {
  const child = fork(program, [mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const { domain, selector, edSelector, privateKeyPem, edPrivateKeyPem, spf } = ground;
  child.send({ domain, selector, edSelector, privateKeyPem, edPrivateKeyPem, spf });
  const { port, token } = await heard<{ port: number; token: string }>(child, `The server ${mode}`);
  return { child, port, token, cpuSeconds: () => cpuSeconds(child.pid ?? 0) };
}

/**
 * Processor time of a process since it began, all threads that it has, as Linux keeps it. The server itself would answer when its event
 * loop comes by: up to fifty signatures later, which of a turn is a fifth.
 */
function cpuSeconds(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((id) =>
    Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9;
}
