import { Client } from 'pg';
import { generateMessage, patience, startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import type { PostgresServer, RedisServer, TemporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { expectVerified, tamperWith } from '../src/forgery.ts';
import type { TamperedMessage } from '../src/forgery.ts';
import { startGatedNameServer } from '../src/gated-name-server.ts';
import type { GatedNameServer } from '../src/gated-name-server.ts';
import { RestClient } from '../src/rest-client.ts';
import { createSendingDomain } from '../src/sending-domain.ts';
import type { SendingDomain } from '../src/sending-domain.ts';
import { startSigner, startWorker, storedReferences } from '../src/services.ts';
import type { Environment, RestService, Service } from '../src/services.ts';

const senderCount = 3;

let postgres: PostgresServer;
let redis: RedisServer;
let folder: TemporaryFolder;
let databaseUrl: string;
let names: GatedNameServer;
let signer: RestService;
let worker: Service;
let rest: RestClient;
let sender: SendingDomain;

/** What was accepted so far, by id. */
const accepted = new Map<string, TamperedMessage>();
/** Codes of the 503s. */
const refused: string[] = [];
let made = 0;

beforeAll(async () => {
  folder = temporaryFolder('e2e-outage');
  [postgres, redis, sender] = await Promise.all([
    startPostgres(),
    startRedis({ appendOnly: true }),
    createSendingDomain(),
  ]);
  databaseUrl = await postgres.createDatabase('zegel');
  // The harness's server does not wait for its log at a commit. Here a commit must outlive the server, as it does in earnest.
  await query(`alter database zegel set synchronous_commit = on`);
  names = await startGatedNameServer(sender.zone);
  names.open();
  const ground: Environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    ZEGEL_DATA_DIR: folder.path,
    ZEGEL_LOCK_DURATION_MS: '3000',
    ZEGEL_STALLED_INTERVAL_MS: '500',
  };
  signer = await startSigner(ground);
  worker = await startWorker(ground, names);
  rest = new RestClient(signer.address, folder.path, sender.session);
});

afterAll(async () => {
  await Promise.all([signer?.process.kill('SIGKILL'), worker?.process.kill('SIGKILL')]);
  await Promise.all([postgres?.stop(), redis?.stop(), names?.[Symbol.asyncDispose]()]);
  folder?.remove();
});

async function query<Row extends object>(text: string): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Submits one more message: it is accepted, or refused for now. Answers which. */
async function submitNext(): Promise<202 | 503> {
  const message = tamperWith(await sender.sign(generateMessage(3, made++).wire));
  const submitted = await rest.submit(message.raw);
  if (submitted.status === 202) accepted.set(submitted.id, message);
  else refused.push(submitted.code);
  return submitted.status;
}

/** Senders that submit one message after the other, until told to stop. */
function startSenders() {
  const stopping = new AbortController();
  const senders = Array.from({ length: senderCount }, async () => {
    while (!stopping.signal.aborted) await submitNext();
  });
  const ended = Promise.all(senders);
  ended.catch(() => undefined);
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function knownMessages(): Promise<string[]> {
  const rows = await query<{ id: string }>('select id from zegel.inbound');
  return rows.map(({ id }) => id).toSorted();
}

/** The messages in the store as they came. */
function storedMessages(): string[] {
  return storedReferences(folder.path).filter((reference) => !reference.includes('.'));
}

/** Everything accepted is done, and has one result. */
async function expectAllDone(): Promise<void> {
  for (const [id, { expected }] of accepted) {
    await rest.settled(id, 'done');
    expectVerified(await rest.result(id), expected);
  }
  const results = storedReferences(folder.path).filter((reference) => /\.\d+$/.test(reference));
  const owners = results.map((reference) => reference.replace(/\.\d+$/, ''));
  expect(owners).toEqual(expect.arrayContaining([...accepted.keys()]));
  expect(new Set(owners).size).toBe(owners.length);
}

describe('while messages come in', () => {
  test('Redis dies and comes back: each message is accepted or refused for now, and those accepted are done', async () => {
    const senders = startSenders();
    await vi.waitFor(() => expect(accepted.size).toBeGreaterThan(5), patience);
    await redis.kill('SIGKILL');
    await vi.waitFor(() => expect(refused.length).toBeGreaterThan(5), patience);
    const before = accepted.size;
    await redis.restart();
    await vi.waitFor(() => expect(accepted.size).toBeGreaterThan(before + 5), patience);
    await senders.stop();
    expect(new Set(refused)).toEqual(new Set(['queue.unavailable']));
    await expectAllDone();
    // Of those refused nothing was kept: whoever repeats one does not double it.
    expect(await knownMessages()).toEqual([...accepted.keys()].toSorted());
    expect(storedMessages()).toEqual([...accepted.keys()].toSorted());
  });

  test('PostgreSQL dies and comes back: the same processes go on', async () => {
    refused.length = 0;
    const senders = startSenders();
    const first = accepted.size;
    await vi.waitFor(() => expect(accepted.size).toBeGreaterThan(first + 5), patience);
    await postgres.kill('SIGQUIT');
    await vi.waitFor(() => expect(refused.length).toBeGreaterThan(5), patience);
    expect((await fetch(`http://${signer.metricsAddress}/readyz`)).status).toBe(503);
    const before = accepted.size;
    await postgres.restart();
    await vi.waitFor(() => expect(accepted.size).toBeGreaterThan(before + 5), patience);
    await senders.stop();
    expect(new Set(refused)).toEqual(new Set(['database.unavailable']));
    await expectAllDone();
    // A commit whose answer was lost cannot be undone with the database gone: no more than each sender had under way.
    expect((await knownMessages()).length - accepted.size).toBeLessThanOrEqual(senderCount);
    await vi.waitFor(async () => {
      expect((await fetch(`http://${signer.metricsAddress}/readyz`)).status).toBe(200);
      expect((await fetch(`http://${worker.metricsAddress}/readyz`)).status).toBe(200);
    }, patience);
  });
});
