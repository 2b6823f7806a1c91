import { generateMessage, patience, startPostgres, startRedis, temporaryFolder } from '@zegel/test-harness';
import type { PostgresServer, RedisServer, TemporaryFolder } from '@zegel/test-harness';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { expectVerified, tamperWith } from '../src/forgery.ts';
import { startGatedNameServer } from '../src/gated-name-server.ts';
import { RestClient } from '../src/rest-client.ts';
import { createSendingDomain } from '../src/sending-domain.ts';
import type { SendingDomain } from '../src/sending-domain.ts';
import { startSigner, startWorker, storedReferences } from '../src/services.ts';
import type { Environment, RestService } from '../src/services.ts';

/** Short enough not to wait for, long enough for a busy machine to renew in time. */
const quickTakeover: Environment = { ZEGEL_LOCK_DURATION_MS: '1500', ZEGEL_STALLED_INTERVAL_MS: '300' };

let postgres: PostgresServer;
let redis: RedisServer;
let folder: TemporaryFolder;
let ground: Environment;
let signer: RestService;
let rest: RestClient;
let sender: SendingDomain;

beforeAll(async () => {
  folder = temporaryFolder('e2e-redis');
  [postgres, redis, sender] = await Promise.all([startPostgres(), startRedis(), createSendingDomain()]);
  ground = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, ZEGEL_DATA_DIR: folder.path };
  signer = await startSigner(ground);
  rest = new RestClient(signer.address, folder.path, sender.session);
});

let ofThisTest = new AsyncDisposableStack();

afterEach(async () => {
  await ofThisTest.disposeAsync();
  ofThisTest = new AsyncDisposableStack();
});

afterAll(async () => {
  await signer?.process.kill('SIGKILL');
  await Promise.all([postgres?.stop(), redis?.stop()]);
  folder?.remove();
});

/** A worker with a name server of its own: a query that waits there tells who has the message. */
async function worker(env: Environment) {
  const names = ofThisTest.use(await startGatedNameServer(sender.zone));
  return { names, ...ofThisTest.use(await startWorker({ ...ground, ...env }, names)) };
}

type Worker = Awaited<ReturnType<typeof worker>>;

function holderAmong(workers: readonly Worker[]): Promise<Worker> {
  return vi.waitFor(() => {
    const holder = workers.find(({ names }) => names.waiting > 0);
    if (holder === undefined) throw new Error('no worker has asked for a name');
    return holder;
  }, patience);
}

describe('a message on Redis', () => {
  test('the worker that holds it is killed: the other one finishes it, with one Authentication-Results of ours', async () => {
    const workers = await Promise.all([worker(quickTakeover), worker(quickTakeover)]);
    const { raw, expected } = tamperWith(await sender.sign(generateMessage(2, 0).wire));
    const id = await rest.accept(raw);
    const holder = await holderAmong(workers);
    expect(await rest.inbound(id)).toMatchObject({ state: 'verifying', attempts: 1 });
    await holder.process.kill('SIGKILL');
    for (const { names } of workers) names.open();

    const inbound = await rest.settled(id, 'done');
    expect(inbound.attempts).toBeGreaterThan(1);
    expect(inbound).toMatchObject({
      report: {
        dkim: [{ result: 'pass' }, { result: 'pass' }],
        spf: { mailFrom: { result: 'pass' } },
        dmarc: { result: 'pass' },
      },
    });
    expectVerified(await rest.result(id), expected);
    expect(storedReferences(folder.path).filter((reference) => reference.startsWith(id))).toEqual([
      id,
      `${id}.${inbound.attempts}`,
    ]);
  });

  test('a message that stalls out is parked, is kept, and is done when it is put back', async () => {
    const impatient = { ...quickTakeover, ZEGEL_MAX_STALLED_COUNT: '0' };
    const workers = await Promise.all([worker(impatient), worker(impatient)]);
    const { raw, expected } = tamperWith(await sender.sign(generateMessage(2, 1).wire));
    const id = await rest.accept(raw);
    const holder = await holderAmong(workers);
    await holder.process.kill('SIGKILL');

    expect(await rest.settled(id, 'parked')).toMatchObject({ error: { code: 'queue.stalled' }, report: null });
    expect((await rest.request(`/v1/inbound/${id}/message`)).status).toBe(409);
    expect(storedReferences(folder.path)).toContain(id);

    for (const { names } of workers) names.open();
    expect((await rest.request(`/v1/inbound/${id}/retry`, { method: 'POST' })).status).toBe(202);
    await rest.settled(id, 'done');
    expectVerified(await rest.result(id), expected);
  });

  test('a worker asked to stop finishes what it holds, and says meanwhile that it is not ready', async () => {
    const { names, process, metricsAddress } = await worker({});
    const readiness = async () => {
      const response = await fetch(`http://${metricsAddress}/readyz`);
      return { status: response.status, ...JSON.parse(await response.text()) };
    };
    expect(await readiness()).toMatchObject({ status: 200, ready: true });

    const { raw, expected } = tamperWith(await sender.sign(generateMessage(2, 2).wire));
    const id = await rest.accept(raw);
    await vi.waitFor(() => expect(names.waiting).toBeGreaterThan(0), patience);
    const exit = process.kill('SIGTERM');
    await vi.waitFor(async () => expect(await readiness()).toMatchObject({ status: 503, phase: 'draining' }), patience);
    expect(await rest.inbound(id)).toMatchObject({ state: 'verifying', attempts: 1 });
    names.open();

    expect(await exit).toEqual({ status: 0, signal: null });
    expect(await rest.inbound(id)).toMatchObject({ state: 'done', attempts: 1 });
    expectVerified(await rest.result(id), expected);
  });
});
