import { generateMessage, temporaryFolder } from '@zegel/test-harness';
import { expect, test, vi } from 'vitest';
import { expectVerified, tamperWith } from '../src/forgery.ts';
import { startGatedNameServer } from '../src/gated-name-server.ts';
import { RestClient, deadline } from '../src/rest-client.ts';
import { createSendingDomain } from '../src/sending-domain.ts';
import { startServe, storedReferences } from '../src/services.ts';

const messageCount = 24;

test('zegel serve on PGlite is killed while it holds messages: the next start finishes them, and all it had accepted', async () => {
  using folder = temporaryFolder('e2e-embedded');
  const sender = await createSendingDomain();
  await using names = await startGatedNameServer(sender.zone);
  const env = {
    ZEGEL_DATA_DIR: folder.path,
    ZEGEL_LOCK_DURATION_MS: '1500',
    ZEGEL_STALLED_INTERVAL_MS: '300',
    // Fewer than there are messages: some are held, the others wait.
    ZEGEL_WORKER_CONCURRENCY: '4',
  };
  await using doomed = await startServe(env, names);
  const before = new RestClient(doomed.address, folder.path, sender.session);

  const held = tamperWith(await sender.sign(generateMessage(4, 0).wire));
  const heldId = await before.accept(held.raw);
  await vi.waitFor(() => expect(names.waiting).toBeGreaterThan(0), deadline);
  expect(await before.inbound(heldId)).toMatchObject({ state: 'verifying', attempts: 1 });
  const later = await Promise.all(
    Array.from({ length: messageCount }, async (_, index) => {
      const message = tamperWith(await sender.sign(generateMessage(4, index + 1).wire));
      return [await before.accept(message.raw), message] as const;
    }),
  );
  await doomed.process.kill('SIGKILL');
  names.open();

  await using next = await startServe(env, names);
  const after = new RestClient(next.address, folder.path, sender.session);
  expect(await after.settled(heldId, 'done')).toMatchObject({
    attempts: 2,
    report: { dkim: [{ result: 'pass' }, { result: 'pass' }], dmarc: { result: 'pass' } },
  });
  expectVerified(await after.result(heldId), held.expected);
  for (const [id, { expected }] of later) {
    await after.settled(id, 'done');
    expectVerified(await after.result(id), expected);
  }
  const owners = storedReferences(folder.path).map((reference) => reference.replace(/\.\d+$/, ''));
  expect(owners).toEqual([heldId, ...later.map(([id]) => id)].flatMap((id) => [id, id]).toSorted());
  expect(await next.process.kill('SIGTERM')).toEqual({ status: 0, signal: null });
}, 180_000);
