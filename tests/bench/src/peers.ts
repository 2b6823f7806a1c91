/** The rivals in C, Python and Perl: programs that the interoperability and differential tests drive too. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createPrivateKey } from 'node:crypto';
import { createSigningKey } from '@zegel/dkim';
import { temporaryFolder } from '@zegel/test-harness';
import { startPyspf } from '../../differential/src/spf/pyspf.ts';
import { peerNames, startPeer } from '../../interop/src/peer.ts';
import type { SigningDomain } from '../../interop/src/signing-domain.ts';
import type { Ground } from './ground.ts';
import type { Timed } from './race.ts';

/** A peer process, as far as it has the operations. Seconds are those of its process. */
export interface PeerRival {
  readonly name: string;
  readonly version: string;
  sign?(message: Buffer): Timed;
  verify?(message: Buffer): Timed;
  spf?: Timed;
}

/** Those that run here, and why the others do not. */
export interface Peers extends AsyncDisposable {
  readonly running: readonly PeerRival[];
  readonly missing: readonly string[];
}

export async function startPeers(ground: Ground): Promise<Peers> {
  const running: PeerRival[] = [];
  const missing: string[] = [];
  const open: AsyncDisposable[] = [];
  const domain = signingDomain(ground);
  for (const name of peerNames) {
    try {
      const peer = await startPeer(name, domain);
      open.push(peer);
      running.push({
        name,
        version: peer.version,
        sign: (message) => (count) =>
          peer.time(count, message, { algorithms: ['rsa-sha256'], canonicalization: 'relaxed/relaxed' }),
        verify: (message) => (count) => peer.time(count, message, 'verify'),
      });
    } catch (error) {
      missing.push(firstLine(error));
    }
  }
  try {
    const pyspf = await startPyspf();
    open.push(pyspf);
    const { ip, helo, sender } = ground.spf;
    const subject = { ip, helo, mailFrom: sender, dns: zoneOf(ground) };
    running.push({ name: 'pyspf', version: pyspf.version, spf: (count) => pyspf.time(count, subject) });
  } catch (error) {
    missing.push(firstLine(error));
  }
  return {
    running,
    missing,
    async [Symbol.asyncDispose]() {
      for (const peer of open) await peer[Symbol.asyncDispose]();
      domain[Symbol.dispose]();
    },
  };
}

/** The DNS of the ground as a zone. */
export function zoneOf({ texts, addresses }: Ground): Readonly<Record<string, { TXT?: string[]; A?: string[] }>> {
  const zone: Record<string, { TXT?: string[]; A?: string[] }> = {};
  for (const [name, text] of Object.entries(texts)) zone[name] = { TXT: [text] };
  for (const [name, list] of Object.entries(addresses)) zone[name] = { ...zone[name], A: [...list] };
  return zone;
}

function signingDomain(ground: Ground): SigningDomain {
  const folder = temporaryFolder('bench');
  const { domain, selector, edSelector, privateKeyPem, edPrivateKeyPem } = ground;
  const records = Object.fromEntries(Object.entries(ground.texts).filter(([name]) => name.includes('._domainkey.')));
  const files = {
    zone: Object.entries(records)
      .map(([name, text]) => `${name} ${text}\n`)
      .join(''),
    'rsa-sha256.pem': privateKeyPem,
    'ed25519-sha256.pem': edPrivateKeyPem,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder.path, file), text, { mode: 0o600 });
  const key = (name: string, pem: string) =>
    createSigningKey({ domain, selector: name, privateKey: createPrivateKey(pem) });
  return {
    domain,
    selectors: { 'rsa-sha256': selector, 'ed25519-sha256': edSelector },
    keys: { 'rsa-sha256': key(selector, privateKeyPem), 'ed25519-sha256': key(edSelector, edPrivateKeyPem) },
    records,
    folder: folder.path,
    [Symbol.dispose]: () => folder.remove(),
  };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}
