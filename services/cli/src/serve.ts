import '@zegel/service-runtime/thread-pool';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockFolder } from '@zegel/database';
import type { FolderLock } from '@zegel/database';
import { OverlayResolver } from '@zegel/dns';
import { startMilter } from '@zegel/milter';
import { openConfiguredKeystore, openGround, openMailRules, reloadAtHangup } from '@zegel/service-ground';
import type { LiveRules } from '@zegel/service-ground';
import { readConfig, runService } from '@zegel/service-runtime';
import type { Config, Environment, ServiceContext } from '@zegel/service-runtime';
import { startSigner } from '@zegel/signer';
import { startVerifier } from '@zegel/verifier';
import { readArguments } from './arguments.ts';
import { DemoZone, ensureDemo } from './demo.ts';
import { zegelVersion } from './version.ts';

export const serveUsage = `zegel serve

Runs everything in one process: the REST API, a worker for the inbound queue, metrics, and the milter where a listener is
configured for it. Without further configuration on embedded stores in the data folder: nothing else need be installed.
Ctrl-C stops it; SIGHUP makes the milter, /v1/sign and the hooks of mail servers read configuration and keys anew.

  --config FILE    the configuration file (ZEGEL_CONFIG)
  --data DIR       the data folder (ZEGEL_DATA_DIR); default: ./.zegel
  --listen H:P     where the REST API listens (ZEGEL_LISTEN); default: 127.0.0.1:8080
  --no-demo        do not make or serve the demo domain example.test

Everything else is configured by the file or by environment: see docs/configuration.md. REDIS_URL moves the queue to Redis,
DATABASE_URL the store to PostgreSQL.
`;

/** `zegel serve`. Ends the process itself. */
export async function runServe(args: readonly string[]): Promise<never> {
  const options = readArguments(args, {
    config: { type: 'string' },
    data: { type: 'string' },
    listen: { type: 'string' },
    demo: { type: 'boolean', default: true },
  });
  const env = {
    ...process.env,
    ...(options.config === undefined ? {} : { ZEGEL_CONFIG: path.resolve(options.config) }),
    ...(options.data === undefined ? {} : { ZEGEL_DATA_DIR: options.data }),
    ...(options.listen === undefined ? {} : { ZEGEL_LISTEN: options.listen }),
  };
  let lock: FolderLock | undefined;
  return runService('zegel', (context) => serve(context, env, options.demo, lock), {
    env,
    version: zegelVersion(),
    async prepare({ config, resources }) {
      const taken = await lockFolder(config.dataDir);
      resources.defer('data folder', () => taken.release());
      lock = taken;
    },
  });
}

async function serve(
  context: ServiceContext,
  env: Environment,
  withDemo: boolean,
  lock: FolderLock | undefined,
): Promise<AsyncDisposable> {
  const { config, metricsAddress, resources } = context;
  say(`zegel: opening ${config.dataDir} (the first start takes some seconds)`);

  const ground = await openGround(context, lock);
  const keystore = await openConfiguredKeystore(ground.database, config);
  if (withDemo) await ensureDemo(ground.database, keystore);
  const resolver = withDemo ? new OverlayResolver(new DemoZone(keystore), ground.resolver) : ground.resolver;

  const verifier = await startVerifier(context, { ...ground, resolver });
  resources.use('verifier', verifier);
  const store = { keySource: keystore, logins: keystore.logins };
  const rules = await openMailRules(context, { resolver, store }, () => readConfig(env));
  resources.use('reload', reloadAtHangup(rules.reload));
  const milterAddresses = await serveMilter(context, rules);
  const signer = await startSigner(context, { ...ground, resolver, keystore, rules: rules.current });
  // Where files hold the keys, those of the demo sign nothing.
  const showsDemo = withDemo && config.signing.keys === undefined;
  say(describeService(config, [signer.address, metricsAddress, ...milterAddresses], showsDemo));
  return signer;
}

/** Opens the milter where the configuration has listeners for it. Answers where they listen. */
async function serveMilter(context: ServiceContext, rules: LiveRules): Promise<readonly string[]> {
  const { config, resources } = context;
  if (config.milter.listen.length === 0) return [];
  const milter = await startMilter(context, config.milter, rules.current);
  resources.use('milter', milter);
  return milter.listeners.map(({ address, mode }) => `${address} (${mode})`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What a person needs to know, and two commands to paste. */
function describeService(
  config: Config,
  [address = '', metricsAddress = '', ...milterAddresses]: readonly string[],
  withDemo: boolean,
): string {
  const { adminToken, dataDir, databaseUrl, redisUrl } = config;
  const lines = [
    '',
    `  REST API   http://${address}`,
    `  metrics    http://${metricsAddress}/metrics`,
    ...milterAddresses.map((milter) => `  milter     ${milter}`),
    `  data       ${dataDir}`,
    `  store      ${databaseUrl === undefined ? 'embedded' : 'PostgreSQL'}, queue ${redisUrl === undefined ? 'in the store' : 'in Redis'}`,
    `  token      ${'file' in adminToken ? adminToken.file : 'given by its SHA-256'}`,
    '',
  ];
  if (withDemo && 'file' in adminToken) {
    const message = fileURLToPath(new URL('../examples/hello.eml', import.meta.url));
    const signed = path.join(dataDir, 'signed.eml');
    const token = `-H "Authorization: Bearer $(cat ${quote(adminToken.file)})"`;
    const body = `-H 'Content-Type: message/rfc822' --data-binary`;
    const session = 'ip=127.0.0.1&helo=mail.example.test&mailFrom=alice@example.test';
    lines.push(
      'Sign a message:',
      '',
      `  curl -sS --fail-with-body ${token} -H 'Accept: message/rfc822' ${body} @${quote(message)} -o ${quote(signed)} http://${address}/v1/sign`,
      '',
      'Verify it:',
      '',
      `  curl -sS --fail-with-body ${token} ${body} @${quote(signed)} 'http://${address}/v1/verify?${session}'`,
      '',
    );
  }
  lines.push('Ctrl-C stops it.');
  return lines.join('\n');
}

/** A word of a shell command. */
function quote(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
