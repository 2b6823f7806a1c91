/** The MTA's end of many connections at once: drives any milter, over a Unix socket or a port. */
import { connect } from 'node:net';
import type { NetConnectOpts } from 'node:net';
import { openMilter } from '@zegel/milter-protocol';
import type { MessageOutcome, MilterClient } from '@zegel/milter-protocol';

export interface LoadOptions {
  readonly target: NetConnectOpts;
  /** Messages in all. */
  readonly messages: number;
  /** Connections at one time. */
  readonly connections: number;
  /** Messages over one connection. */
  readonly perConnection: number;
  /** The login under which messages are submitted; null for mail from outside. */
  readonly login: string | null;
  readonly client: { readonly address: string; readonly name: string };
  readonly sender: string;
  readonly raw: Uint8Array;
  readonly timeoutMs?: number;
  /** Looks at each outcome; what it throws ends the run. */
  readonly check?: (outcome: MessageOutcome) => void;
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds from MAIL to the answer, sorted. */
  readonly latencies: readonly number[];
}

/** Sends messages until all are answered. Rejects when a connection fails or an outcome is wrong. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let left = options.messages;
  const began = performance.now();
  const drive = async (): Promise<void> => {
    while (left > 0) {
      const client = await openSession(options);
      for (let sent = 0; sent < options.perConnection && left > 0; sent++) {
        left--;
        const at = performance.now();
        const outcome = await sendOne(client, options);
        latencies.push(performance.now() - at);
        options.check?.(outcome);
      }
      await client.quit();
    }
  };
  await Promise.all(Array.from({ length: options.connections }, drive));
  const seconds = (performance.now() - began) / 1000;
  return { seconds, latencies: latencies.toSorted((one, other) => one - other) };
}

/** Connects, negotiates, and says connect and HELO. */
export async function openSession({ target, client, timeoutMs = 60_000 }: LoadOptions): Promise<MilterClient> {
  const socket = connect(target);
  const milter = await openMilter(socket, { timeoutMs });
  await milter.macros('connect', [
    ['j', 'mx.receiver.test'],
    ['{daemon_name}', 'smtpd'],
    ['{client_addr}', client.address],
  ]);
  await milter.step({
    kind: 'connect',
    hostname: client.name,
    client: { family: 'ipv4', address: client.address, port: 25 },
  });
  await milter.step({ kind: 'helo', name: client.name });
  return milter;
}

/** One message over an open session. */
export function sendOne(milter: MilterClient, { login, sender, raw }: LoadOptions): Promise<MessageOutcome> {
  return milter.sendMessage({
    sender: { address: `<${sender}>`, parameters: [] },
    recipients: [{ address: '<bob@receiver.test>', parameters: [] }],
    raw,
    macros: {
      mail:
        login === null
          ? [['i', 'QUEUE1']]
          : [
              ['i', 'QUEUE1'],
              ['{auth_authen}', login],
              ['{auth_type}', 'PLAIN'],
            ],
      'end-of-message': [['i', 'QUEUE1']],
    },
  });
}

/** The value below which this share of sorted numbers lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
