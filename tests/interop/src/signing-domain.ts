import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createSigningKey, formatKeyRecord, generateKeyPair, keyRecordName } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { temporaryFolder } from '@zegel/test-harness';
import { algorithms } from './implementation.ts';
import type { DkimAlgorithm } from './implementation.ts';

/**
 * One domain with a key for each algorithm, made and published by our own code, and a folder that holds keys and zone
 * in the form the peers read: `zone`, one key record a line (name, space, text), and `<algorithm>.pem`.
 */
export interface SigningDomain extends Disposable {
  readonly domain: string;
  readonly selectors: Readonly<Record<DkimAlgorithm, string>>;
  readonly keys: Readonly<Record<DkimAlgorithm, SigningKey>>;
  /** The text of every key record, by name. */
  readonly records: Readonly<Record<string, string>>;
  readonly folder: string;
}

export async function signingDomain(domain = 'example.test'): Promise<SigningDomain> {
  const selectors = { 'rsa-sha256': 'rsa', 'ed25519-sha256': 'ed' } as const;
  const folder = temporaryFolder('interop');
  const write = (file: string, text: string) => writeFileSync(path.join(folder.path, file), text, { mode: 0o600 });
  const records: Record<string, string> = {};
  const publish = async (algorithm: DkimAlgorithm): Promise<SigningKey> => {
    const selector = selectors[algorithm];
    const { privateKey, publicKey } = await generateKeyPair(algorithm);
    records[keyRecordName(selector, domain)] = formatKeyRecord(publicKey);
    write(`${algorithm}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    return createSigningKey({ domain, selector, privateKey });
  };
  const [rsa, ed25519] = await Promise.all(algorithms.map(publish));
  if (rsa === undefined || ed25519 === undefined) throw new Error('A key pair for each algorithm was asked for');
  write(
    'zone',
    Object.entries(records)
      .map(([name, text]) => `${name} ${text}\n`)
      .join(''),
  );
  return {
    domain,
    selectors,
    keys: { 'rsa-sha256': rsa, 'ed25519-sha256': ed25519 },
    records,
    folder: folder.path,
    [Symbol.dispose]: () => folder.remove(),
  };
}
