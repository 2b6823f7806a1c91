import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createSigningKey } from '@zegel/dkim';
import { temporaryFolder } from '@zegel/test-harness';
import { startPeer } from '../../../interop/src/peer.ts';
import type { Peer } from '../../../interop/src/peer.ts';
import type { SigningDomain } from '../../../interop/src/signing-domain.ts';
import { signingDomains } from './key-records.ts';
import type { KeyRecords } from './key-records.ts';

/** dkimpy and Mail::DKIM, each a process that knows the key records of this run. */
export interface MailPeers extends AsyncDisposable {
  readonly dkimpy: Peer;
  readonly mailDkim: Peer;
  /** Whether the peers' zone can say what is published at a name: one record of US-ASCII on one line, or nothing at all. */
  know(keyName: string): boolean;
}

export async function startMailPeers({ zone, sound }: KeyRecords): Promise<MailPeers> {
  const folder = temporaryFolder('differential');
  const records: Record<string, string> = {};
  const unspeakable = new Set<string>();
  for (const [name, entry] of Object.entries(zone)) {
    const texts = typeof entry === 'object' && 'TXT' in entry ? (entry.TXT ?? []) : [];
    const [text] = texts.map((one) => (Array.isArray(one) ? one.join('') : one));
    if (texts.length === 1 && typeof text === 'string' && /^[\t -~]+$/u.test(text)) records[name] = text;
    else unspeakable.add(name);
  }
  const [rsa, ed25519] = sound;
  const domain = signingDomains[0];
  const files = {
    zone: Object.entries(records)
      .map(([name, text]) => `${name} ${text}\n`)
      .join(''),
    'rsa-sha256.pem': rsa.key.pem,
    'ed25519-sha256.pem': ed25519.key.pem,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder.path, file), text, { mode: 0o600 });
  const signingDomain: SigningDomain = {
    domain,
    selectors: { 'rsa-sha256': rsa.selector, 'ed25519-sha256': ed25519.selector },
    keys: {
      'rsa-sha256': createSigningKey({ domain, selector: rsa.selector, privateKey: rsa.key.privateKey }),
      'ed25519-sha256': createSigningKey({ domain, selector: ed25519.selector, privateKey: ed25519.key.privateKey }),
    },
    records,
    folder: folder.path,
    [Symbol.dispose]: () => folder.remove(),
  };
  const [dkimpy, mailDkim] = await Promise.all([
    startPeer('dkimpy', signingDomain),
    startPeer('Mail::DKIM', signingDomain),
  ]);
  return {
    dkimpy,
    mailDkim,
    know: (keyName) => !unspeakable.has(keyName),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([dkimpy[Symbol.asyncDispose](), mailDkim[Symbol.asyncDispose]()]);
      folder.remove();
    },
  };
}
