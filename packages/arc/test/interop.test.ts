import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ZoneResolver } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { generateMessages, runSeed, temporaryFolder } from '@zegel/test-harness';
import type { MessageFeature, TemporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyChain } from '../src/index.ts';
import { peerNames, startPeer } from './peer.ts';
import type { Peer, PeerName } from './peer.ts';
import { passOn, testSealer } from './sealer.ts';
import type { TestSealer } from './sealer.ts';
import { sealCase, sealingCases } from './sealing-suite.ts';
import type { SealingCase } from './sealing-suite.ts';

const seed = runSeed();
/** Field names that dkimpy or Mail::DKIM is known to refuse or to fold apart, whatever is signed. */
const unread: readonly MessageFeature[] = ['space-before-colon', 'semicolon-in-field-name', 'long-field-name'];
const messages = generateMessages(seed, 80).filter(({ features }) => unread.every((feature) => !features.has(feature)));

let folder: TemporaryFolder;
let ours: TestSealer;
let theirs: TestSealer;
let resolver: Resolver;
let peers: ReadonlyMap<PeerName, Peer>;

beforeAll(async () => {
  folder = temporaryFolder('arc-interop');
  [ours, theirs] = await Promise.all([testSealer('zegel.test'), testSealer('peer.test')]);
  const records = Object.fromEntries([...sealingCases.flatMap(keyRecords), ours.record, theirs.record]);
  resolver = new ZoneResolver(
    Object.fromEntries(Object.entries(records).map(([name, text]) => [name, { TXT: [text] }])),
  );
  const lines = Object.entries(records).map(([name, text]) => `${name} ${text}\n`);
  writeFileSync(path.join(folder.path, 'zone'), lines.join(''));
  writeFileSync(path.join(folder.path, 'key.pem'), theirs.pem, { mode: 0o600 });
  peers = new Map(peerNames.map((name) => [name, startPeer(name, folder.path)]));
});

afterAll(async () => {
  await Promise.all([...(peers?.values() ?? [])].map((peer) => peer[Symbol.asyncDispose]()));
  folder?.remove();
});

function keyRecords({ dns }: SealingCase): readonly (readonly [name: string, text: string])[] {
  return Object.entries(dns as Record<string, { readonly TXT: readonly [string] }>).map(([name, { TXT }]) => [
    name,
    TXT[0],
  ]);
}

/** Sealed by a peer, which is shown our verdict in a field that is gone again afterwards. */
async function passOnBy(name: PeerName, raw: Uint8Array): Promise<Buffer> {
  const { result } = await verifyChain(raw, { resolver });
  const results = `Authentication-Results: peer.test; arc=${result}; spf=pass smtp.mailfrom=author.test\r\n`;
  const fields = await peers.get(name)!.seal(Buffer.concat([Buffer.from(results), raw]));
  return Buffer.concat([fields, raw]);
}

/** What everybody says of a chain, those who do not pass it. */
async function complaints(raw: Uint8Array): Promise<readonly string[]> {
  const { result, code } = await verifyChain(raw, { resolver });
  const said = await Promise.all([...peers].map(async ([name, peer]) => [name, await peer.verify(raw)] as const));
  const all = [['zegel', result === 'pass' ? 'pass' : code] as const, ...said];
  return all.filter(([, word]) => word !== 'pass').map(([name, word]) => `${name}: ${word}`);
}

describe('ARC with other implementations (RFC 8617)', () => {
  it('chains that we seal, of one to four sets, hold in dkimpy and Mail::DKIM', async () => {
    for (const { wire, index } of messages) {
      let raw: Uint8Array = wire;
      for (let hop = 0; hop <= index % 4; hop++) raw = await passOn(raw, ours, resolver, undefined, new Date());
      expect(await complaints(raw), `ZEGEL_SEED=${seed}, message ${index}`).toEqual([]);
    }
  });

  const holding = sealingCases.filter(({ expect: { AS } }) => AS !== '' && !AS.includes('cv=fail'));
  it.each(holding)('conformance: $id, sealed by us, holds everywhere', async (entry) => {
    const { raw } = await sealCase(entry);
    expect(await complaints(raw)).toEqual([]);
  });

  it.each(peerNames)('chains that %s and we seal in turn hold everywhere', async (name) => {
    for (const { wire, index } of messages.slice(0, 25)) {
      const first = await passOnBy(name, wire);
      const second = await passOn(first, ours, resolver, undefined, new Date());
      const third = await passOnBy(name, second);
      for (const [at, raw] of [first, second, third].entries()) {
        expect(await complaints(raw), `ZEGEL_SEED=${seed}, message ${index}, set ${at + 1}`).toEqual([]);
      }
    }
  });

  it('a chain that is broken after we sealed it holds nowhere', async () => {
    for (const { wire, index } of messages.slice(0, 10)) {
      const sealed = await passOn(await passOn(wire, ours, resolver, undefined, new Date()), ours, resolver);
      const changed = Buffer.concat([Buffer.from('From: <other@example.test>\r\n'), sealed]);
      const verdict = await verifyChain(changed, { resolver });
      const said = await Promise.all([...peers.values()].map((peer) => peer.verify(changed)));
      expect([verdict.result, ...said], `ZEGEL_SEED=${seed}, message ${index}`).not.toContain('pass');
    }
  });
});
