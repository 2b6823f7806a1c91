/** What is raced: each operation of the goal on its messages, with everybody who can do it. */
import { createHash } from 'node:crypto';
import { createBodyCanonicalizer } from '@zegel/canonicalization';
import { createBench } from '../adapter.ts';
import { createFloor } from './floor.ts';
import type { Ground } from './ground.ts';
import { body, message } from './messages.ts';
import type { BodyKind } from './messages.ts';
import type { Peers } from './peers.ts';
import { createProbe } from './probe.ts';
import { inProcess } from './race.ts';
import type { Contestant } from './race.ts';
import { localContestant } from './rival-processes.ts';
import type { NodeContestant, Operation } from './rival-processes.ts';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** The contestant that the others are measured against: the first. */
  readonly contestants: readonly Contestant[];
  /** What is aimed at, by contestant: the fraction of the first (or how many times it) that is wanted at least. */
  readonly targets: Readonly<Record<string, number>>;
}

const signedMessages: readonly (readonly [
  name: string,
  title: string,
  kind: BodyKind,
  size: number,
  target: number,
])[] = [
  ['sign-10k', 'Sign 10 kB of text', 'text', 10_000, 0.9],
  ['sign-1m', 'Sign 1 MB of text', 'text', 1_000_000, 0.8],
  ['sign-html', 'Sign 110 kB of HTML', 'html', 110_000, 0.8],
];

const verifiedMessages: typeof signedMessages = [
  ['verify-10k', 'Verify 10 kB of text', 'text', 10_000, 0.6],
  ['verify-100k', 'Verify 100 kB of text', 'text', 100_000, 0.6],
  ['verify-html', 'Verify 110 kB of HTML', 'html', 110_000, 0.5],
];

/** Makes all of them. Each contestant's answer is looked at once: who does not do the work is no rival. */
export async function createScenarios(
  ground: Ground,
  rivals: readonly NodeContestant[],
  peers: Peers,
): Promise<readonly Scenario[]> {
  const zegel = createBench(ground);
  const floor = createFloor(ground.rsaKey);
  const nodes = [localContestant(zegel), ...rivals];
  const scenarios: Scenario[] = [];

  for (const [name, title, kind, size, target] of signedMessages) {
    const raw = message(ground.domain, kind, size);
    const isSignature = async (field: unknown): Promise<boolean> =>
      field instanceof Uint8Array && zegel.verify(Buffer.concat([field, raw]));
    const probe = createProbe(Buffer.concat([await zegel.sign(raw), raw]), ground.rsaKey);
    const contestants = [
      inProcess('floor', () => floor.sign(raw)),
      inProcess('bare probe', () => probe.sign()),
      ...(await nodeContestants('sign', raw, nodes, isSignature)),
    ];
    for (const peer of peers.running) if (peer.sign) contestants.push({ name: peer.name, run: peer.sign(raw) });
    scenarios.push({ name, title, contestants, targets: { zegel: target } });
  }

  for (const [name, title, kind, size, target] of verifiedMessages) {
    const raw = message(ground.domain, kind, size);
    const signed = Buffer.concat([await zegel.sign(raw), raw]);
    const probe = createProbe(signed, ground.rsaKey);
    const contestants = [
      inProcess('floor', () => floor.verify(signed)),
      inProcess('bare probe', () => probe.verify()),
      ...(await nodeContestants('verify', signed, nodes, isPass)),
    ];
    for (const peer of peers.running) {
      if (peer.verify) contestants.push({ name: peer.name, run: peer.verify(signed) });
    }
    scenarios.push({ name, title, contestants, targets: { zegel: target } });
  }

  const raw = message(ground.domain, 'text', 10_000);
  scenarios.push({
    name: 'sign-dual',
    title: 'Sign 10 kB of text with RSA and Ed25519',
    contestants: [
      inProcess('zegel, RSA alone', () => zegel.sign(raw)),
      inProcess('zegel, both', () => zegel.signDual(raw)),
    ],
    // At most 15 % more.
    targets: { 'zegel, both': 0.87 },
  });
  const signed = Buffer.concat([await zegel.sign(raw), raw]);
  const checks: readonly (readonly ['spf' | 'dmarc' | 'auth', string, number])[] = [
    ['spf', 'SPF, ten records, DNS in memory', 5],
    ['dmarc', 'DMARC, DNS in memory', 2],
    ['auth', 'authenticate(): DKIM, SPF, DMARC, ARC and Authentication-Results, 10 kB, DNS in memory', 10],
  ];
  for (const [name, title, target] of checks) {
    // Ours last: the first is the one the others are measured against.
    const contestants = await nodeContestants(name, signed, nodes.toReversed(), isPass);
    if (name === 'spf') {
      for (const peer of peers.running) if (peer.spf) contestants.push({ name: peer.name, run: peer.spf });
    }
    scenarios.push({ name, title, contestants, targets: { zegel: target } });
  }

  for (const kind of ['text', 'html', 'base64'] as const) scenarios.push(bodyScenario(kind));
  return scenarios;
}

const chunkBytes = 64 * 1024;

/** Relaxed canonicalization and hash against the hash alone. */
function bodyScenario(kind: BodyKind): Scenario {
  const bytes = body(kind, 1_000_000);
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += chunkBytes) chunks.push(bytes.subarray(from, from + chunkBytes));
  return {
    name: `body-${kind}`,
    title: `Relaxed body canonicalization and SHA-256 of 1 MB of ${kind}`,
    contestants: [
      inProcess('SHA-256 alone', () => createHash('sha256').update(bytes).digest()),
      inProcess('zegel, in one piece', () => hashed([bytes])),
      inProcess('zegel, in chunks of 64 KiB', () => hashed(chunks)),
    ],
    targets: { 'zegel, in one piece': 0.75, 'zegel, in chunks of 64 KiB': 0.75 },
  };
}

/** Those of the nodes that have an operation, each looked at once. */
async function nodeContestants(
  operation: Operation,
  raw: Buffer,
  nodes: readonly NodeContestant[],
  isDone: (result: unknown) => boolean | Promise<boolean>,
): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const { name, operations, prepare } of nodes) {
    if (!operations.includes(operation)) continue;
    const prepared = await prepare(operation, raw);
    if (!(await isDone(prepared.result)))
      throw new Error(`${name} does not do the work of ${operation}: there is nothing to compare`);
    contestants.push(prepared);
  }
  return contestants;
}

function isPass(result: unknown): boolean {
  return result === true;
}

function hashed(chunks: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  const canonicalizer = createBodyCanonicalizer('relaxed', (canonical) => void hash.update(canonical));
  for (const chunk of chunks) canonicalizer.update(chunk);
  canonicalizer.end();
  return hash.digest();
}
