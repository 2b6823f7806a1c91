/** Zegel's programs as an operator starts them: own processes, told everything by environment. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { startNode } from '@zegel/test-harness';
import type { TestProcess } from '@zegel/test-harness';
import { ourNames } from './forgery.ts';
import type { GatedNameServer } from './gated-name-server.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** Variables for a Zegel process. */
export type Environment = Readonly<Record<string, string>>;

/** A running service and where it can be reached. */
export interface Service extends AsyncDisposable {
  readonly process: TestProcess;
  /** Where /metrics and /readyz are, as `host:port`. */
  readonly metricsAddress: string;
}

export interface RestService extends Service {
  /** Where the REST API listens, as `host:port`. */
  readonly address: string;
}

/** Starts `services/signer` and waits until it serves. */
export async function startSigner(env: Environment): Promise<RestService> {
  return restService(await start('services/signer/src/main.ts', [], env), /"address":"([^"]+)"/);
}

/** Starts `services/verifier` on a name server of its own and waits until it works. */
export async function startWorker(env: Environment, names: GatedNameServer): Promise<Service> {
  return service(await start('services/verifier/src/main.ts', [], { ...env, ZEGEL_DNS_SERVERS: names.address }));
}

/** Starts `zegel serve` and waits until it serves. */
export async function startServe(env: Environment, names: GatedNameServer): Promise<RestService> {
  const variables = { ...env, ZEGEL_DNS_SERVERS: names.address };
  return restService(
    await start('services/cli/bin/zegel.mjs', ['serve', '--no-demo'], variables),
    /REST API +http:\/\/(\S+)/,
  );
}

/** The references that a message store in files holds, in order: one of each message, and one of each result. */
export function storedReferences(dataFolder: string): string[] {
  return readdirSync(path.join(dataFolder, 'messages'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && path.basename(entry.parentPath) !== 'unfinished')
    .map(({ name }) => name)
    .toSorted();
}

function start(file: string, args: readonly string[], env: Environment): Promise<TestProcess> {
  const inherited = Object.keys(process.env).filter((name) => /^(?:ZEGEL_|REDIS_URL$|DATABASE_URL$|NODE_)/.test(name));
  return startNode(path.join(root, file), args, {
    env: {
      ...Object.fromEntries(inherited.map((name) => [name, undefined])),
      ZEGEL_LISTEN: '127.0.0.1:0',
      ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
      AUTHSERV_ID: ourNames.authservId,
      ZEGEL_OUR_AUTHSERV_IDS: ourNames.other,
      ...env,
    },
  });
}

async function service(child: TestProcess): Promise<Service> {
  const line = await child.waitForLine(/"msg":"started"/);
  return {
    process: child,
    metricsAddress: captured(line, /"metrics":"([^"]+)"/),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function restService(child: TestProcess, pattern: RegExp): Promise<RestService> {
  return { ...(await service(child)), address: captured(await child.waitForLine(pattern), pattern) };
}

function captured(line: string, pattern: RegExp): string {
  const found = pattern.exec(line)?.[1];
  if (found === undefined) throw new Error(`${pattern} is not in: ${line}`);
  return found;
}
