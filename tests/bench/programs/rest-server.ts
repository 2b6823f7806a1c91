/**
 * `rest-server.ts MODE`, forked by the benchmark: a server that signs what is posted, on a port of its own. It sends
 * `{ port, token }` when it listens, and ends with its parent.
 *
 * - `zegel`: our REST API as it is, with tokens, limits, logs (standard output) and metrics, on a database in memory.
 * - `zegel-inline`: the same with a key that uses no thread, as on one core.
 * - `zegel-sync`: the same with a key that signs at once in each request, which no key of ours does.
 * - `express`: bare Express that reads the body and makes one RSA signature, which is no DKIM signature.
 * - `mailauth`: bare Express and mailauth.
 */
import '@zegel/service-runtime/thread-pool';
import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { openDatabase } from '@zegel/database';
import { createSigningKey } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import { loadMasterKey, openKeystore } from '@zegel/keystore';
import type { Keystore } from '@zegel/keystore';
import { FileMessageStore } from '@zegel/mail-queue';
import { openMailRules } from '@zegel/service-ground';
import { Readiness, ResourceStack, createLogger, createTelemetry, readConfig } from '@zegel/service-runtime';
import { startSigner } from '@zegel/signer';
import { temporaryFolder } from '@zegel/test-harness';
import express from 'express';
import { mailauthRival } from '../src/rivals.ts';
import type { Ground } from '../src/ground.ts';

type Mode = 'zegel' | 'zegel-inline' | 'zegel-sync' | 'express' | 'mailauth';

/** What the parent sends first. */
type Start = Pick<Ground, 'domain' | 'selector' | 'edSelector' | 'privateKeyPem' | 'edPrivateKeyPem' | 'spf'>;

const mode = process.argv[2] as Mode;
const [start] = (await once(process, 'message')) as [Start];
process.on('disconnect', () => process.exit(0));
const privateKey = createPrivateKey(start.privateKeyPem);
process.send?.(mode === 'express' || mode === 'mailauth' ? await startExpress() : await startZegel());

async function startZegel(): Promise<{ readonly port: number; readonly token: string }> {
  const folder = temporaryFolder('bench');
  const config = readConfig({
    ZEGEL_LISTEN: '127.0.0.1:0',
    ZEGEL_DATA_DIR: folder.path,
    AUTHSERV_ID: 'mx.example.net',
  });
  const logger = createLogger({ service: 'bench', level: config.logLevel, buffered: true });
  const telemetry = createTelemetry({ service: 'bench' });
  const readiness = new Readiness({ intervalMs: 0 });
  const resources = new ResourceStack();
  const database = await openDatabase({ memory: true });
  const store = new FileMessageStore(`${folder.path}/messages`);
  const masterKey = await loadMasterKey({ value: Buffer.alloc(32, 7).toString('base64') });
  const keystore = await openKeystore({ database, masterKey });
  await keystore.domains.create(start.domain);
  const { id } = await keystore.keys.import(start.domain, { selector: start.selector, pem: start.privateKeyPem });
  await keystore.keys.changeState(id, 'published');
  await keystore.keys.changeState(id, 'active');
  const { secret } = await keystore.tokens.create({ name: 'bench', scopes: ['sign'], domains: [start.domain] });
  const context = { config, logger, telemetry, readiness, resources, version: '0.0.0' };
  const resolver = new ZoneResolver({});
  const keySource = mode === 'zegel' ? keystore : signingInPlace(keystore);
  const rules = await openMailRules(context, { resolver, store: { keySource } }, () => config);
  const { address } = await startSigner(context, { database, store, resolver, keystore, rules: rules.current });
  readiness.started();
  return { port: Number(address.split(':').at(-1)), token: secret };
}

/** The keys of the keystore with the one of the domain replaced by one that never leaves the thread of the request. */
function signingInPlace(keystore: Keystore): Pick<Keystore, 'activeKeys'> {
  const { domain, selector } = start;
  const inline = createSigningKey({ domain, selector, privateKey, inline: true });
  const atOnce: SigningKey = { ...inline, sign: async (data) => sign('sha256', data, privateKey) };
  const keys = [mode === 'zegel-inline' ? inline : atOnce];
  return {
    activeKeys: async (asked) => ((await keystore.activeKeys(asked)) === null ? null : keys),
  };
}

async function startExpress(): Promise<{ readonly port: number; readonly token: string }> {
  // Nothing is looked up when mail is signed.
  const rival = mailauthRival({ ...start, resolver: async () => [] } as unknown as Ground);
  const app = express();
  app.use(express.raw({ type: 'message/rfc822', limit: '50mb' }));
  app.post('/v1/sign', async (request, response) => {
    const body: unknown = request.body;
    if (!Buffer.isBuffer(body)) throw new TypeError('A message is bytes');
    const field = mode === 'express' ? sign('sha256', body, privateKey).toString('base64') : await rival.sign?.(body);
    response.json({ signatures: [{ field: String(field) }] });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, token: 'none' };
}
