import { fileURLToPath } from 'node:url';
import { generateKeyPair } from '@zegel/dkim';
import { parseZone } from '@zegel/dns';
import { patience, runToEnd } from '@zegel/test-harness';
import { describe, expect, it, vi } from 'vitest';
import { startGatedNameServer } from '../../e2e/src/gated-name-server.ts';
import { startTestService } from '../src/test-service.ts';

describe('the milter client of opendkim', () => {
  it.each([
    ['sign', 'gets a signature, and results, over one connection', ['signed', 'accepted']],
    ['verify', 'hears that forged results go, and no others', ['accepted', 'accepted']],
    ['refuse', 'hears a refusal for good and one for now, and goes on', ['rejected', 'deferred', 'signed']],
  ])('%s: %s', async (name, _, outcomes) => {
    await using nameServer = await startGatedNameServer(parseZone({}));
    nameServer.open();
    const { privateKey } = await generateKeyPair('rsa-sha256');
    await using service = await startTestService(nameServer.address, privateKey, { ZEGEL_LOG_LEVEL: 'info' });
    const script = fileURLToPath(new URL(`../miltertest/${name}.lua`, import.meta.url));
    expect(await runToEnd('miltertest', ['-D', `socket=${service.socket}`, '-s', script])).toContain('done');
    await vi.waitFor(() => {
      const told = service
        .process()
        .output()
        .matchAll(/"outcome":"([a-z]+)"/g);
      expect(Array.from(told, ([, outcome]) => outcome)).toEqual(outcomes);
    }, patience);
  });
});
