import { connect } from 'node:net';
import path from 'node:path';
import { authenticate } from '@zegel/authentication';
import type { AuthenticationReport } from '@zegel/authentication';
import { createSigningKey, formatKeyRecord, generateKeyPair } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { RecordType, Resolver, ZoneDeclaration } from '@zegel/dns';
import { createKeySet, defaultInboundPolicy, defaultRefusalPolicy, noLoginMap, parseNetwork } from '@zegel/mail-policy';
import type { ListenerMode } from '@zegel/mail-policy';
import { applyModifications, joinMessage, openMilter, splitMessage } from '@zegel/milter-protocol';
import type { ClientAddress, MessageOutcome, MilterClient, Offer, OutgoingMessage } from '@zegel/milter-protocol';
import { createLogger, createTelemetry } from '@zegel/service-runtime';
import { temporaryFolder } from '@zegel/test-harness';
import { startMilter } from '../src/index.ts';
import type { MailRules, Milter, MilterSettings } from '../src/index.ts';

export const authservId = 'mx.receiver.test';

/** A milter on a Unix socket of its own, and what a test must see of what is around it. */
export interface TestMilter extends AsyncDisposable {
  readonly milter: Milter;
  /** The socket of its first listener. */
  readonly socket: string;
  readonly folder: string;
  /** What every look-up is answered from; may be added to. */
  readonly zone: Record<string, ZoneDeclaration[string]>;
  readonly rules: MailRules;
  useRules(rules: MailRules): void;
  /** Its log, one entry a line. */
  log(): readonly Record<string, unknown>[];
  metrics(): Promise<string>;
  /** Stops it, as at SIGTERM. */
  stop(): Promise<void>;
}

export interface TestMilterOptions {
  readonly mode?: ListenerMode;
  readonly rules?: Partial<MailRules>;
  readonly settings?: Partial<MilterSettings>;
  readonly resolver?: Resolver;
}

const rsaPair = await generateKeyPair('rsa-sha256');
const ed25519Pair = await generateKeyPair('ed25519-sha256');

/** An RSA key and an Ed25519 key of a domain. */
export function keysOf(domain: string): readonly SigningKey[] {
  return [
    createSigningKey({ domain, selector: 'rsa', privateKey: rsaPair.privateKey }),
    createSigningKey({ domain, selector: 'ed', privateKey: ed25519Pair.privateKey }),
  ];
}

/** The records of {@link keysOf}, SPF for 192.0.2.0/24 and a strict DMARC policy. */
export function zoneOf(domain: string): Record<string, ZoneDeclaration[string]> {
  return {
    [domain]: { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
    [`rsa._domainkey.${domain}`]: { TXT: [formatKeyRecord(rsaPair.publicKey)] },
    [`ed._domainkey.${domain}`]: { TXT: [formatKeyRecord(ed25519Pair.publicKey)] },
    [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject'] },
  };
}

export async function startTestMilter(options: TestMilterOptions = {}): Promise<TestMilter> {
  const folder = temporaryFolder('milter');
  const socket = path.join(folder.path, 'milter.sock');
  const lines: string[] = [];
  const logger = createLogger({
    service: 'test',
    level: 'trace',
    stream: { write: (line: string) => void lines.push(line) },
  });
  const telemetry = createTelemetry({ service: 'test' });
  const zone = zoneOf('example.org');
  const resolver = options.resolver ?? {
    resolve: <T extends RecordType>(name: string, type: T) => new ZoneResolver(zone).resolve(name, type),
  };
  const loopback = parseNetwork('127.0.0.0/8');
  if (loopback === null) throw new Error('no network');
  const rules: MailRules = {
    outbound: { daemonNames: ['ORIGINATING'], internalNetworks: [loopback] },
    submitters: { logins: noLoginMap, networks: [{ network: loopback, domains: ['example.org'] }] },
    signing: { keySource: createKeySet(keysOf('example.org')) },
    onRefusal: defaultRefusalPolicy,
    removeOwnResultsOutbound: true,
    inbound: defaultInboundPolicy,
    authentication: { resolver, authservId },
    ...options.rules,
  };
  const settings: MilterSettings = {
    listen: [{ address: { path: socket }, mode: options.mode ?? 'both' }],
    maxConnections: 100,
    idleMs: 20_000,
    commandMs: 20_000,
    ...options.settings,
  };
  let current = rules;
  const milter = await startMilter({ logger, telemetry }, settings, () => current).catch((error: unknown) => {
    folder.remove();
    throw error;
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= Promise.resolve(milter[Symbol.asyncDispose]()));
  return {
    milter,
    socket,
    folder: folder.path,
    zone,
    rules,
    useRules: (next) => void (current = next),
    log: () => lines.map((line): Record<string, unknown> => JSON.parse(line)),
    metrics: () => telemetry.render(),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await telemetry[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

export interface TestSession {
  readonly login?: string;
  readonly daemonName?: string;
  readonly client?: ClientAddress;
  readonly offer?: Offer;
}

export const sender = { address: '<ann@example.org>', parameters: [] };
const recipients = [{ address: '<bob@example.net>', parameters: [] }];
const outside: ClientAddress = { family: 'ipv4', address: '192.0.2.7', port: 2525 };

/** The MTA's end of a session that stands: connect and HELO are said. */
export async function openSession(socket: string, session: TestSession = {}): Promise<MilterClient> {
  const client = await openMilter(connect(socket), {
    timeoutMs: 20_000,
    ...(session.offer === undefined ? {} : { offer: session.offer }),
  });
  await client.macros('connect', [['{daemon_name}', session.daemonName ?? 'smtpd']]);
  await client.step({ kind: 'connect', hostname: 'client.example.org', client: session.client ?? outside });
  await client.step({ kind: 'helo', name: 'client.example.org' });
  return client;
}

/** What became of a message, and the message as the MTA would pass it on. */
export interface Filtered extends MessageOutcome {
  readonly message: string;
  readonly quarantine: string | null;
}

/** Sends a message over an open session. */
export async function filter(
  client: MilterClient,
  raw: string | Uint8Array,
  { login, from = sender.address }: { readonly login?: string; readonly from?: string } = {},
): Promise<Filtered> {
  const bytes = Buffer.from(raw);
  const message: OutgoingMessage = {
    sender: { address: from, parameters: [] },
    recipients,
    raw: bytes,
    macros: {
      mail: [['i', 'QUEUE1'], ...(login === undefined ? [] : [['{auth_authen}', login] as const])],
      'end-of-message': [['i', 'QUEUE1']],
    },
  };
  const outcome = await client.sendMessage(message);
  const queued = { ...splitMessage(bytes), sender: from, recipients: [], quarantine: null };
  const changed = applyModifications(queued, outcome.modifications, client.agreement);
  return { ...outcome, message: Buffer.from(joinMessage(changed)).toString('latin1'), quarantine: changed.quarantine };
}

/** One message over a session of its own. */
export async function filterOne(
  milter: TestMilter,
  raw: string | Uint8Array,
  session: TestSession & { readonly from?: string } = {},
): Promise<Filtered> {
  const client = await openSession(milter.socket, session);
  const filtered = await filter(client, raw, session);
  await client.quit();
  return filtered;
}

/** What a receiver's checks say of a message. */
export async function reportOn(
  message: string,
  zone: Record<string, ZoneDeclaration[string]>,
): Promise<AuthenticationReport> {
  const context = {
    session: { ip: '192.0.2.7', helo: 'client.example.org' },
    envelope: { mailFrom: 'ann@example.org' },
  };
  const { report } = await authenticate(Buffer.from(message, 'latin1'), context, {
    resolver: new ZoneResolver(zone),
    authservId,
  });
  return report;
}

/** Lines with CRLF. */
export function mail(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join('');
}
