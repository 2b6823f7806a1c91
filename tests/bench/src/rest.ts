import { sign } from 'node:crypto';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Ground } from './ground.ts';
import { heard } from './heard.ts';
import { load } from './load.ts';
import { message } from './messages.ts';
import { inProcess, median, quantile, race, timesRate } from './race.ts';

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
}

export interface RestReport {
  readonly connections: number;
  /** RSA-2048 signatures per second of processor time. */
  readonly rsaRate: number;
  readonly rows: readonly RestRow[];
}

export interface RestOptions {
  readonly modes: readonly RestMode[];
  readonly rounds: number;
  /**
   * Seconds of one server in one round, about. A third as long goes before: after seconds in which others had the caches of the
   * processor, the first five hundred requests cost a fifth more.
   */
  readonly turnSeconds: number;
  /**
   * Requests before anything is measured. A server runs for months, and V8 is still busy with its code in the first some
   * thousand.
   */
  readonly warmUp: number;
}

const connections = 50;
const program = path.join(import.meta.dirname, '../programs/rest-server.ts');

/** Signing of 10 kB over HTTP: servers that take turns, under a closed loop of 50 connections. */
export async function measureRest(
  ground: Ground,
  { modes, rounds, turnSeconds, warmUp }: RestOptions,
): Promise<RestReport> {
  const raw = message(ground.domain, 'text', 10_000);
  const data = Buffer.alloc(1_000, 'header');
  const rsa = inProcess('rsa', () => sign('sha256', data, ground.rsaKey));
  const servers = await Promise.all(modes.map((mode) => startServer(mode, ground)));
  const calibrate = async (): Promise<number> => {
    const [limit] = await race([rsa], { rounds: 1, sampleSeconds: 0.15 });
    return limit?.rate ?? 0;
  };
  const rsaRates: number[][] = servers.map(() => []);
  const rates: number[][] = servers.map(() => []);
  const throughputs: number[][] = servers.map(() => []);
  const latencies: number[][] = servers.map(() => []);
  try {
    const counts: number[] = [];
    for (const server of servers) {
      const { throughput } = await load(server, raw, { connections, requests: warmUp });
      counts.push(Math.ceil(throughput * turnSeconds));
    }
    for (let round = 0; round < rounds; round++) {
      for (const [index, server] of servers.entries()) {
        const requests = counts[index] ?? 1;
        const limitBefore = await calibrate();
        await load(server, raw, { connections, requests: Math.ceil(requests / 3) });
        const before = await server.cpuSeconds();
        const report = await load(server, raw, { connections, requests });
        const seconds = (await server.cpuSeconds()) - before;
        rsaRates[index]?.push((limitBefore + (await calibrate())) / 2);
        rates[index]?.push(report.answers / seconds);
        throughputs[index]?.push(report.throughput);
        latencies[index]?.push(...report.latencies);
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
    };
  });
  return { connections, rsaRate: median(rsaRates.flat()), rows };
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly token: string;
  /** Of the process since it began, all threads. */
  cpuSeconds(): Promise<number>;
}

async function startServer(mode: RestMode, ground: Ground): Promise<Server> {
  const who = `The server ${mode}`;
  const child = fork(program, [mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const { domain, selector, edSelector, privateKeyPem, edPrivateKeyPem, spf } = ground;
  child.send({ domain, selector, edSelector, privateKeyPem, edPrivateKeyPem, spf });
  const { port, token } = await heard<{ port: number; token: string }>(child, who);
  return {
    child,
    port,
    token,
    async cpuSeconds() {
      const usage = heard<{ user: number; system: number }>(child, who);
      child.send('cpu');
      const { user, system } = await usage;
      return (user + system) / 1e6;
    },
  };
}
