import { fileURLToPath } from 'node:url';
import { generateKeyPair } from '@zegel/dkim';
import { parseZone } from '@zegel/dns';
import { runToEnd } from '@zegel/test-harness';
import { expect, it } from 'vitest';
import { startGatedNameServer } from '../../e2e/src/gated-name-server.ts';
import { startTestService } from '../src/test-service.ts';

const script = fileURLToPath(new URL('../miltertest/sign.lua', import.meta.url));

it('the milter client of opendkim gets a signature, and results, over one connection', async () => {
  await using nameServer = await startGatedNameServer(parseZone({}));
  nameServer.open();
  const { privateKey } = await generateKeyPair('rsa-sha256');
  await using service = await startTestService(nameServer.address, privateKey);
  const output = await runToEnd('miltertest', ['-D', `socket=${service.socket}`, '-s', script]);
  expect(output).toContain('done');
});
