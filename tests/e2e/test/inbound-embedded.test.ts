import { generateMessage, patience, temporaryFolder } from '@zegel/test-harness';
import { expect, test, vi } from 'vitest';
import { expectVerified, tamperWith } from '../src/forgery.ts';
import { startGatedNameServer } from '../src/gated-name-server.ts';
import { RestClient } from '../src/rest-client.ts';
import { createSendingDomain } from '../src/sending-domain.ts';
import { startServe, storedReferences } from '../src/services.ts';

test('zegel serve on PGlite is killed while it holds messages: the next start finishes them, and all it had accepted', async () => {
  using folder = temporaryFolder('e2e-embedded');
  const sender = await createSendingDomain();
  await using names = await startGatedNameServer(sender.zone);
  const env = {
    ZEGEL_DATA_DIR: folder.path,
    ZEGEL_LOCK_DURATION_MS: '1500',
    ZEGEL_STALLED_INTERVAL_MS: '300',
    // Fewer than there are messages: some are held, the others wait.
    ZEGEL_WORKER_CONCURRENCY: '2',
  };
  const messages = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => tamperWith(await sender.sign(generateMessage(4, index).wire))),
  );

  await using doomed = await startServe(env, names);
  const before = new RestClient(doomed.address, folder.path, sender.session);
  const ids = await Promise.all(messages.map(({ raw }) => before.accept(raw)));
  await vi.waitFor(() => expect(names.waiting).toBeGreaterThan(0), patience);
  await doomed.process.kill('SIGKILL');
  names.open();

  await using next = await startServe(env, names);
  const after = new RestClient(next.address, folder.path, sender.session);
  const attempts: number[] = [];
  for (const [index, id] of ids.entries()) {
    const inbound = await after.settled(id, 'done');
    expect(inbound).toMatchObject({
      report: {
        dkim: [{ result: 'pass' }, { result: 'pass' }],
        spf: { mailFrom: { result: 'pass' } },
        dmarc: { result: 'pass' },
      },
    });
    attempts.push(inbound.attempts);
    expectVerified(await after.result(id), messages[index]!.expected);
  }
  // Those that were held were begun again, the others once.
  expect(Math.min(...attempts)).toBe(1);
  expect(Math.max(...attempts)).toBeGreaterThan(1);
  const owners = storedReferences(folder.path).map((reference) => reference.replace(/\.\d+$/, ''));
  expect(owners).toEqual(ids.flatMap((id) => [id, id]).toSorted());
  expect(await next.process.kill('SIGTERM')).toEqual({ status: 0, signal: null });
});
