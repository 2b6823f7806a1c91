import { openDatabase } from '@zegel/database';
import type { Database } from '@zegel/database';
import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, Resolver, ZoneDeclaration } from '@zegel/dns';
import { loadMasterKey, openKeystore } from '@zegel/keystore';
import type { Keystore, TokenScope } from '@zegel/keystore';
import { FileMessageStore } from '@zegel/mail-queue';
import type { MessageStore } from '@zegel/mail-queue';
import { openMailRules } from '@zegel/service-ground';
import { Readiness, ResourceStack, createLogger, createTelemetry, readConfig } from '@zegel/service-runtime';
import { temporaryFolder } from '@zegel/test-harness';
import { startSigner } from '../src/index.ts';

/** A REST API that listens on a port of its own, and what a test must see of the ground below it. */
export interface TestSigner extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly keystore: Keystore;
  readonly database: Database;
  readonly store: MessageStore;
  /** What every look-up is answered from; may be added to. */
  readonly zone: Record<string, ZoneDeclaration[string]>;
  /** Secrets of tokens: `admin`, and one that may do nothing but what a test asks for. */
  readonly admin: string;
  token(scopes: readonly TokenScope[], domains?: readonly string[]): Promise<string>;
  /** Makes a domain with active keys whose records stand in the zone. */
  addDomain(name: string, algorithms?: readonly ('rsa-sha256' | 'ed25519-sha256')[]): Promise<void>;
  /** Everything that was logged. */
  log(): string;
  /** The metrics at this moment, in the Prometheus text format. */
  metrics(): Promise<string>;
  /** Stops listening, as at SIGTERM; the ground stays. */
  stop(): Promise<void>;
}

export interface TestSignerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a fresh PGlite in memory. It is closed with the signer. */
  readonly database?: Database;
  readonly store?: MessageStore;
}

export async function startTestSigner(options: TestSignerOptions = {}): Promise<TestSigner> {
  const folder = temporaryFolder('signer');
  const config = readConfig({
    ZEGEL_LISTEN: '127.0.0.1:0',
    ZEGEL_DATA_DIR: folder.path,
    AUTHSERV_ID: 'mx.receiver.test',
    ZEGEL_LOG_LEVEL: 'trace',
    ...options.env,
  });
  const lines: string[] = [];
  const logger = createLogger({
    service: 'test',
    level: config.logLevel,
    stream: { write: (line: string) => void lines.push(line) },
  });
  const telemetry = createTelemetry({ service: 'test' });
  const readiness = new Readiness({ intervalMs: 0 });
  const resources = new ResourceStack();
  const database = options.database ?? (await openDatabase({ memory: true }));
  readiness.add('database', () => database.ping());
  const store = options.store ?? new FileMessageStore(`${folder.path}/messages`);
  const keystore = await openKeystore({
    database,
    masterKey: await loadMasterKey({ value: Buffer.alloc(32, 7).toString('base64') }),
  });
  const zone: TestSigner['zone'] = {};
  const resolver: Resolver = {
    resolve: <T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> =>
      new ZoneResolver(zone).resolve(name, type),
  };
  const token: TestSigner['token'] = async (scopes, domains) =>
    (await keystore.tokens.create({ name: scopes.join(' '), scopes, domains: domains ?? null })).secret;

  const context = { config, logger, telemetry, readiness, resources, version: '1.2.3' };
  const rules = await openMailRules(
    context,
    { resolver, store: { keySource: keystore, logins: keystore.logins } },
    () => config,
  );
  const signer = await startSigner(context, { database, store, resolver, keystore, rules: rules.current });
  readiness.started();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= Promise.resolve(signer[Symbol.asyncDispose]()));
  return {
    url: `http://${signer.address}`,
    port: Number(signer.address.split(':').at(-1)),
    keystore,
    database,
    store,
    zone,
    admin: await token(['admin']),
    token,
    async addDomain(name, algorithms = ['rsa-sha256', 'ed25519-sha256']) {
      await keystore.domains.create(name);
      for (const algorithm of algorithms) {
        const { id, record } = await keystore.keys.create(name, { selector: algorithm.slice(0, 3), algorithm });
        await keystore.keys.changeState(id, 'published');
        await keystore.keys.changeState(id, 'active');
        zone[record!.name] = { TXT: [record!.text] };
      }
    },
    log: () => lines.join(''),
    metrics: () => telemetry.render(),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await resources.close();
      await telemetry[Symbol.asyncDispose]();
      await database.close();
      folder.remove();
    },
  };
}

/** What came back over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The body as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a wrong guess about its shape fails the test that made it
  readonly json: any;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly type?: string;
}

/** One call of an API. With a body the method is POST and the type that of a message. */
export async function call(url: string, { method, token, headers = {}, body, type }: Call = {}): Promise<Answer> {
  const contentType = type ?? (body === undefined ? undefined : 'message/rfc822');
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(contentType === undefined ? {} : { 'Content-Type': contentType }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    json: isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined,
  };
}

/** Lines as a message: CRLF ended. */
export function message(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'utf8');
}

export const hello = message(
  'From: Alice <alice@example.test>',
  'To: Bob <bob@example.org>',
  'Subject: Hello',
  'Date: Tue, 24 Nov 2026 12:00:00 +0000',
  'Message-ID: <1@example.test>',
  '',
  'Hello Bob',
);
