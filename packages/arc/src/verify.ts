import { BodyDigests, lookUpKey } from '@zegel/dkim';
import type { KeyLookup } from '@zegel/dkim';
import { SharedLookups } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import type { Header } from '@zegel/message';
import { arcFields, hasArcFields, readChain } from './chain.ts';
import type { ChainProblem, PartialSet } from './chain.ts';
import { arcLimits } from './limits.ts';
import type { ArcLimits } from './limits.ts';
import { beginMessageCheck } from './message-check.ts';
import { parseChainStatus, parseSeal } from './parse.ts';
import { readSets } from './read-set.ts';
import type { ReadSet } from './read-set.ts';
import { arcResult, unchecked } from './result.ts';
import type { ArcCheck, ArcResult, ArcSetResult } from './result.ts';
import { checkSeals } from './seal-check.ts';
import { weighTrust } from './trust.ts';

export interface ChainOptions {
  readonly resolver: Resolver;
  /** The time of the check; default: now. */
  readonly now?: Date;
  readonly limits?: Partial<ArcLimits>;
  /** Ends the wait for DNS: a key that is not known by then makes the chain fail with `arc.dns-failure`. */
  readonly signal?: AbortSignal;
  /** Digests that somebody else feeds; default: an own set, fed by `body()`. */
  readonly digests?: BodyDigests;
  /** Sealing domains (d=) the operator believes. With them a passing result says what they vouch for. */
  readonly trustedSealers?: readonly string[];
}

/** A chain validation under way: begun on the header, fed the body, ended with one result. */
export interface ChainVerification {
  /** Whether any signature needs the body. */
  readonly needsBody: boolean;
  /** The next part of the body. Does nothing when `digests` are fed by somebody else. */
  body(chunk: Uint8Array): void;
  /** Rejects only if the resolver does, which its contract forbids. */
  end(): Promise<ArcResult>;
}

/** Validates the ARC chain of a whole message with CRLF line ends (RFC 8617 §5.2). */
export async function verifyChain(raw: Uint8Array, options: ChainOptions): Promise<ArcResult> {
  const { header, body } = parseMessage(raw);
  const verification = beginChainVerification(header, options);
  verification.body(body);
  return verification.end();
}

/**
 * Begins to validate the ARC chain of a message (RFC 8617 §5.2). A chain that is broken in its structure asks for no keys
 * and no body; the keys of any other are looked up at once, each once, while the body streams.
 *
 * The newest ARC-Message-Signature and every ARC-Seal must hold. ARC knows no temporary error: what the DNS does not
 * answer makes the chain fail (§5.2.1), under a code of its own, `arc.dns-failure`.
 */
export function beginChainVerification(header: Header, options: ChainOptions): ChainVerification {
  const digests = options.digests ?? new BodyDigests();
  // Most messages come without a chain.
  const finish = hasArcFields(header) ? beginChecks(header, digests, options) : noChain;
  return {
    needsBody: digests.needsBody,
    body(chunk) {
      if (options.digests === undefined) digests.update(chunk);
    },
    end() {
      digests.end();
      return finish();
    },
  };
}

async function noChain(): Promise<ArcResult> {
  return arcResult('arc.none', { sets: 0, domains: [], evidence: { sets: [] } });
}

function beginChecks(header: Header, digests: BodyDigests, options: ChainOptions): () => Promise<ArcResult> {
  const limits: ArcLimits = { ...arcLimits, ...options.limits };
  const chain = readChain(header, limits);
  if (!chain.ok) return async () => broken(chain.problem, chain.sets);
  const sets = readSets(chain.sets, limits);
  if ('code' in sets) return async () => broken(sets, chain.sets);

  const shared: ChainOptions = {
    ...options,
    resolver: new SharedLookups(options.resolver, options.signal === undefined ? {} : { signal: options.signal }),
  };
  const messageChecks = sets
    .slice(-limits.maxMessageSignatures)
    .toReversed()
    .map((read) => beginMessageCheck(read, header, digests, shared, limits));
  const keys = sets.map(({ seal }) => {
    const looking = lookUpKey(seal, shared, limits);
    // Whoever calls end() sees the rejection; a caller that never does must not bring the process down.
    if (looking instanceof Promise) looking.catch(() => {});
    return looking;
  });
  return async () => {
    const settings = { now: options.now ?? new Date(), limits };
    const found: KeyLookup[] = [];
    for (const looking of keys) found.push(await looking);
    const seals = checkSeals(header, sets, found, settings);
    const messages = await Promise.all(messageChecks.map((check) => check()));
    return decide(sets, seals, messages, options.trustedSealers);
  };
}

/** A check that a chain stands or falls with, and what it is called when it fails. */
interface NeededCheck {
  readonly code: 'arc.message-signature-failed' | 'arc.seal-failed';
  readonly field: string;
  readonly instance: number;
  readonly check: ArcCheck;
}

/** RFC 8617 §5.2 steps 4 to 7. A failure that is final goes before one that the DNS may mend. */
function decide(
  sets: readonly ReadSet[],
  seals: readonly ArcCheck[],
  messages: readonly ArcCheck[],
  trustedSealers: readonly string[] | undefined,
): ArcResult {
  const results = sets
    .map(({ set, seal }, at) => setResult(set, seals[at] ?? unchecked(seal), messages[sets.length - 1 - at]))
    .toReversed();
  const facts = { sets: sets.length, domains: results.map(({ seal }) => seal.domain ?? '') };
  const needed: readonly NeededCheck[] = [
    ...results.slice(0, 1).map(({ instance, messageSignature }) => ({
      code: 'arc.message-signature-failed' as const,
      field: arcFields.messageSignature,
      instance,
      check: messageSignature,
    })),
    ...results.map(({ instance, seal }) => ({
      code: 'arc.seal-failed' as const,
      field: arcFields.seal,
      instance,
      check: seal,
    })),
  ];
  const failed = needed.filter(({ check }) => check.result !== 'pass');
  const first = failed.find(({ check }) => check.code !== 'dkim.dns-failure') ?? failed[0];
  if (first !== undefined) {
    const { field, instance, check } = first;
    const code = check.code === 'dkim.dns-failure' ? 'arc.dns-failure' : first.code;
    const wording = {
      ...(check.domain === undefined ? {} : { domain: check.domain }),
      ...(check.explanation === undefined ? {} : { why: check.explanation }),
    };
    return arcResult(code, { ...facts, evidence: { instance, field, sets: results } }, wording);
  }
  const trust =
    trustedSealers === undefined
      ? {}
      : {
          trust: weighTrust(
            sets.map(({ set, seal }) => ({ ...set, sealer: seal.domain })),
            trustedSealers,
          ),
        };
  return arcResult('arc.pass', { ...facts, oldestPass: oldestPass(results), ...trust, evidence: { sets: results } });
}

/** RFC 8617 §5.2 step 5: 0 when all hold, else the instance above the first that does not. */
function oldestPass(newestFirst: readonly ArcSetResult[]): number {
  const failing = newestFirst.find(({ messageSignature }) => messageSignature.result !== 'pass');
  return failing === undefined ? 0 : failing.instance + 1;
}

function setResult(set: PartialSet, seal: ArcCheck, messageSignature: ArcCheck | undefined): ArcSetResult {
  const cv = parseChainStatus(set.seal?.tags.get('cv')?.value);
  const results = set.results?.value;
  return {
    instance: set.instance,
    ...(cv === null ? {} : { cv }),
    seal,
    messageSignature: messageSignature ?? { result: 'unchecked' },
    ...(results === undefined ? {} : { authenticationResults: results }),
  };
}

/** The verdict on fields that are no chain. */
function broken({ code, ...where }: ChainProblem, found: readonly PartialSet[]): ArcResult {
  const sets = found
    .map((set) => {
      const seal = set.seal === undefined ? null : parseSeal(set.seal.tags);
      return setResult(set, seal?.ok === true ? unchecked(seal.value) : { result: 'unchecked' }, undefined);
    })
    .toReversed();
  return arcResult(code, {
    sets: sets[0]?.instance ?? 0,
    domains: sets.flatMap(({ seal }) => seal.domain ?? []),
    evidence: { ...where, sets },
  });
}
