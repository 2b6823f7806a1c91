import { generateMessages, runSeed } from '@zegel/test-harness';
import type { GeneratedMessage } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalizations } from '../src/implementation.ts';
import type { DkimAlgorithm, Implementation, SignRequest } from '../src/implementation.ts';
import { crossVerify, forEachConcurrently } from '../src/matrix.ts';
import type { Disagreement, Tally } from '../src/matrix.ts';
import { peerNames, peerPrograms, startPeer } from '../src/peer.ts';
import type { Peer, PeerName } from '../src/peer.ts';
import { signingDomain } from '../src/signing-domain.ts';
import type { SigningDomain } from '../src/signing-domain.ts';
import { zegel } from '../src/zegel.ts';

/** More than are asked for: each peer is known to refuse some. */
const messageCount = 544;
const messagesAskedFor = 500;
/** The first disagreement about a message is printed with it, for so many messages; the rest are counted. */
const printedMessages = 5;
/** Generous: the machine may be busy with the other tests. */
const seed = runSeed();
const messages = generateMessages(seed, messageCount);

let domain: SigningDomain;
let ours: Implementation;
let peers: ReadonlyMap<PeerName, Peer>;
let implementations: readonly Implementation[];

beforeAll(async () => {
  domain = await signingDomain();
  ours = zegel(domain);
  const started = await Promise.all(peerNames.map(async (name) => [name, await startPeer(name, domain)] as const));
  peers = new Map(started);
  implementations = [ours, ...peers.values()];
  for (const { name, version, algorithms } of peers.values())
    console.log(`${name} ${version}: ${algorithms.join(', ')}`);
});

afterAll(async () => {
  await Promise.all([...(peers?.values() ?? [])].map((peer) => peer[Symbol.asyncDispose]()));
  domain?.[Symbol.dispose]();
});

/** Every message with each canonicalization pair, and RSA, Ed25519 and both at once in turn. */
const keyChoices: readonly (readonly DkimAlgorithm[])[] = [
  ['rsa-sha256'],
  ['ed25519-sha256'],
  ['rsa-sha256', 'ed25519-sha256'],
];

function requestsOfOurs({ index }: GeneratedMessage): SignRequest[] {
  return canonicalizations.map((canonicalization, at) => ({
    canonicalization,
    algorithms: keyChoices[(index + at) % keyChoices.length]!,
  }));
}

function report({ signer, verifier, said, message, algorithm, canonicalization, wire }: Disagreement): string {
  const what = verifier === null ? `${signer} does not sign` : `${signer} signs, ${verifier} says`;
  return [
    `${what}: ${said}`,
    `  ZEGEL_SEED=${seed}, message ${message.index} (${[...message.features].join(', ')}), ${algorithm}, c=${canonicalization}`,
    `  ${Buffer.from(wire).toString('base64')}`,
  ].join('\n');
}

function expectAgreement(signer: string, { passed, excused, disagreements }: Tally): void {
  const counts = [...passed].map(([verifier, { length }]) => `${verifier} ${length}`).join(', ');
  console.log(`signed by ${signer}, passed by: ${counts}`);
  for (const [{ peer, as, what }, count] of excused) console.log(`  excused ${count} times: ${peer} as ${as} ${what}`);
  const first = new Map(disagreements.toReversed().map((disagreement) => [disagreement.message.index, disagreement]));
  const printed = [...first.values()].slice(-printedMessages).map(report);
  expect(disagreements.length, `some of them:\n${printed.join('\n')}\n`).toBe(0);
}

describe('DKIM with other implementations (RFC 6376, RFC 8463)', () => {
  it.each(peerNames)('%s knows the algorithms its Debian package is known to know', (name) => {
    expect(peers.get(name)?.algorithms).toEqual(expect.arrayContaining([...peerPrograms[name].knows]));
  });

  it(`${messagesAskedFor} messages signed by us verify in dkimpy and libopendkim (both algorithms) and Mail::DKIM (RSA)`, async () => {
    const tally = await crossVerify(ours, implementations, messages, requestsOfOurs, domain);
    expectAgreement('zegel', tally);
    for (const { name } of implementations) {
      expect(new Set(tally.passed.get(name)).size, name).toBeGreaterThanOrEqual(messagesAskedFor);
    }
  });

  it.each(peerNames)(
    `${messagesAskedFor} messages signed by %s verify with us and with the other peers`,
    async (name) => {
      const peer = peers.get(name)!;
      const requests = ({ index }: GeneratedMessage): SignRequest[] => [
        { canonicalization: canonicalizations[index % canonicalizations.length]!, algorithms: peer.algorithms },
      ];
      const tally = await crossVerify(peer, implementations, messages, requests, domain);
      expectAgreement(name, tally);
      expect(new Set(tally.passed.get('zegel')).size).toBeGreaterThanOrEqual(messagesAskedFor);
    },
  );

  it('a message changed after we signed it passes nowhere', async () => {
    await forEachConcurrently(messages.slice(0, 64), async (message) => {
      const canonicalization = canonicalizations[message.index % canonicalizations.length]!;
      const fields = await ours.sign(message, { canonicalization, algorithms: ['rsa-sha256', 'ed25519-sha256'] });
      const changes = [
        // A word more in the body: the end is never inside the header once an empty line is made sure of.
        [fields, message.wire, message.wire.includes('\r\n\r\n') ? 'more\r\n' : '\r\nmore\r\n'],
        // A second From on top of the first.
        [fields, 'From: <other@example.test>\r\n', message.wire],
      ].map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part))));
      for (const implementation of implementations) {
        for (const wire of changes) {
          const verdicts = await implementation.verify(wire).catch(() => []);
          expect(
            verdicts.filter(({ result }) => result === 'pass'),
            `${implementation.name}, ZEGEL_SEED=${seed}, message ${message.index}`,
          ).toEqual([]);
        }
      }
    });
  });
});
