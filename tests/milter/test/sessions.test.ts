import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { generateKeyPair } from '@zegel/dkim';
import { openDescriptors, runSeed } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { driveSessions } from '../src/drive-sessions.ts';
import { startTestService } from '../src/test-service.ts';
import type { TestService } from '../src/test-service.ts';

describe('random sessions', () => {
  let service: TestService;
  const silent = createSocket('udp4');

  beforeAll(async () => {
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    // Refused at once, so that no session waits for the DNS.
    const { port } = silent.address();
    silent.on('message', (query, peer) => {
      const answer = Buffer.from(query);
      answer.writeUInt16BE(0x8185, 2);
      silent.send(answer, peer.port, peer.address);
    });
    service = await startTestService(`127.0.0.1:${port}`, (await generateKeyPair('rsa-sha256')).privateKey);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    silent.close();
  });

  it('get as many replies as belong to them, legal or not, and leave nothing open', async () => {
    const target = { path: service.socket };
    await driveSessions(target, 50, 10, 'warm');
    const before = openDescriptors(service.process().pid);
    const counts = await driveSessions(target, 1500, 20, String(runSeed()));
    expect(counts.legal).toBeGreaterThan(300);
    expect(counts.illegal).toBeGreaterThan(300);
    expect(counts.cut).toBeGreaterThan(100);
    await vi.waitFor(() => expect(openDescriptors(service.process().pid)).toBeLessThanOrEqual(before), {
      timeout: 30_000,
      interval: 50,
    });
    expect(service.process().output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });
});
