import path from 'node:path';
import { startNode } from '@zegel/test-harness';
import type { Nsd, TemporaryFolder, TestProcess } from '@zegel/test-harness';

const main = path.join(import.meta.dirname, '../../../services/milter/src/main.ts');

/** The milter as a process of its own, which can be killed. */
export interface Zegel extends AsyncDisposable {
  /** What it has logged since it was last started. */
  log(): string;
  /** Ends the process as a crash would. */
  kill(): Promise<void>;
  /** Starts it again with the same configuration. Resolves when it listens. */
  restart(): Promise<void>;
}

/**
 * How long a mail server may be silent while it hands over a message. Short, so that a client that takes longer for one shows
 * that it is not counted.
 */
export const commandMs = 2_000;

/** Starts the milter with a configuration file, asking one name server. Resolves when it listens. */
export async function startZegel(configFile: string, dns: Nsd, data: TemporaryFolder): Promise<Zegel> {
  const env = {
    ZEGEL_CONFIG: configFile,
    ZEGEL_DNS_SERVERS: `${dns.address}:${dns.port}`,
    ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
    ZEGEL_MILTER_COMMAND_MS: String(commandMs),
    ZEGEL_DATA_DIR: data.path,
  };
  const launch = async (): Promise<TestProcess> => {
    const started = await startNode(main, [], { env });
    for (const mode of ['sign', 'verify'])
      await started.waitForLine(new RegExp(`"mode":"${mode}".*milter listens`, 'u'));
    return started;
  };
  let current = await launch();
  const kill = async (): Promise<void> => void (await current.kill('SIGKILL'));
  return {
    log: () => current.output(),
    kill,
    restart: async () => void (current = await launch()),
    [Symbol.asyncDispose]: kill,
  };
}
