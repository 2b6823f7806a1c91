import {
  BodyDigests,
  FieldIndex,
  algorithmProblem,
  beginSignatureCheck,
  dkimCodes,
  lookUpKey,
  signatureHolds,
  timeProblem,
  usableKey,
  withoutSignatureValue,
} from '@zegel/dkim';
import type { DkimCode, DkimEvidence, DkimResult, KeyLookup, Signature, SignerTags } from '@zegel/dkim';
import { SharedLookups } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { fillTemplate, parseMessage } from '@zegel/message';
import type { Header } from '@zegel/message';
import { arcFields, readChain } from './chain.ts';
import type { ArcSet, ChainProblem, PartialSet, TaggedField } from './chain.ts';
import { arcLimits } from './limits.ts';
import type { ArcLimits } from './limits.ts';
import { parseChainStatus, parseMessageSignature, parseSeal } from './parse.ts';
import type { Reading } from './parse.ts';
import { arcResult } from './result.ts';
import type { ArcCheck, ArcResult, ArcSetResult } from './result.ts';
import { SealData } from './seal-data.ts';
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
  /** The fields of this header by name, when they are known already. */
  readonly index?: FieldIndex;
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
  const limits: ArcLimits = { ...arcLimits, ...options.limits };
  const digests = options.digests ?? new BodyDigests();
  const index = options.index ?? new FieldIndex(header);
  const finish = beginChecks(index, digests, options, limits);
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

/** A set whose seal could be read, and with it the signature it seals, if that could be. */
interface ReadSet {
  readonly set: ArcSet;
  readonly seal: SignerTags;
  readonly messageSignature: Reading<Signature>;
}

function beginChecks(
  index: FieldIndex,
  digests: BodyDigests,
  options: ChainOptions,
  limits: ArcLimits,
): () => Promise<ArcResult> {
  const chain = readChain(index, limits);
  if (!chain.ok) return async () => broken(chain.problem, chain.sets);
  if (chain.sets.length === 0) {
    return async () => arcResult('arc.none', { sets: 0, domains: [], evidence: { sets: [] } });
  }
  const sets = readSets(chain.sets, limits);
  if ('code' in sets) return async () => broken(sets, chain.sets);

  const shared: ChainOptions = {
    ...options,
    resolver: new SharedLookups(options.resolver, options.signal === undefined ? {} : { signal: options.signal }),
  };
  const messageChecks = sets
    .slice(-limits.maxMessageSignatures)
    .toReversed()
    .map((read) => beginMessageCheck(read, index, digests, shared, limits));
  const keys = sets.map(({ seal }) => {
    const looking = lookUpKey(seal, shared, limits);
    // Whoever calls end() sees the rejection; a caller that never does must not bring the process down.
    looking.catch(() => {});
    return looking;
  });
  return async () => {
    const seals = checkSeals(index.header, sets, await Promise.all(keys), options.now ?? new Date(), limits);
    const messages = await Promise.all(messageChecks.map((check) => check()));
    return decide(sets, seals, messages, options.trustedSealers);
  };
}

/** Reads the tags of every set. A seal must be readable, and so must the newest message signature: they must hold. */
function readSets(sets: readonly ArcSet[], limits: ArcLimits): readonly ReadSet[] | ChainProblem {
  const read: ReadSet[] = [];
  for (const set of sets) {
    const { instance } = set;
    const seal = parseSeal(set.seal.tags);
    if (!seal.ok) return { code: seal.code, instance, field: arcFields.seal, tag: seal.tag };
    const messageSignature = parseMessageSignature(set.messageSignature.tags, limits);
    if (!messageSignature.ok && set === sets.at(-1)) {
      const { code, tag } = messageSignature;
      return { code, instance, field: arcFields.messageSignature, tag, limit: limits.maxSignedFields };
    }
    read.push({ set, seal: seal.value, messageSignature });
  }
  return read;
}

function beginMessageCheck(
  { set, messageSignature }: ReadSet,
  index: FieldIndex,
  digests: BodyDigests,
  options: ChainOptions,
  limits: ArcLimits,
): () => Promise<ArcCheck> {
  if (!messageSignature.ok) {
    const { code } = messageSignature;
    return async () => ({ result: 'fail', code });
  }
  const { field, occurrence } = set.messageSignature;
  const check = beginSignatureCheck(
    { field, occurrence, signature: messageSignature.value },
    index,
    digests,
    options,
    limits,
  );
  return async () => messageCheck(await check());
}

function messageCheck({ result, code, explanation, domain, selector, algorithm, evidence }: DkimResult): ArcCheck {
  return {
    result: result === 'pass' ? 'pass' : 'fail',
    ...(result === 'pass' ? {} : { code, explanation }),
    ...(domain === undefined ? {} : { domain }),
    ...(selector === undefined ? {} : { selector }),
    ...(algorithm === undefined ? {} : { algorithm }),
    evidence,
  };
}

/** The verdict on every ARC-Seal, oldest first. */
function checkSeals(
  header: Header,
  sets: readonly ReadSet[],
  keys: readonly KeyLookup[],
  now: Date,
  limits: ArcLimits,
): readonly ArcCheck[] {
  const data = new SealData();
  return sets.map(({ set, seal }, at) => {
    const key = keys[at];
    data.add(header, set.results.field);
    data.add(header, set.messageSignature.field);
    const check = key === undefined ? unchecked(seal) : checkSeal(set.seal, seal, key, header, data, { now, limits });
    data.add(header, set.seal.field);
    return check;
  });
}

function checkSeal(
  { field, occurrence }: TaggedField,
  seal: SignerTags,
  key: KeyLookup,
  header: Header,
  data: SealData,
  { now, limits }: { readonly now: Date; readonly limits: ArcLimits },
): ArcCheck {
  const { domain, selector, algorithm, valueStart, valueEnd } = seal;
  const finish = (code: DkimCode, more: DkimEvidence = {}): ArcCheck => {
    const evidence = { occurrence, ...key.evidence, ...more };
    const values = { ...evidence, domain, selector, algorithm };
    return {
      result: code === 'dkim.pass' ? 'pass' : 'fail',
      ...(code === 'dkim.pass' ? {} : { code, explanation: fillTemplate(dkimCodes[code].explanation, values) }),
      domain,
      selector,
      algorithm,
      evidence,
    };
  };
  const problem = algorithmProblem(seal) ?? timeProblem(seal, now, limits);
  if (problem !== null) return finish(problem);
  if (!key.ok) return finish(key.code);
  const publicKey = usableKey(seal, key.record, limits);
  const bits = publicKey.bits === undefined ? {} : { keyBits: publicKey.bits };
  if (!publicKey.ok) return finish(publicKey.code, bits);
  const signed = data.signedBy(withoutSignatureValue(header, field, valueStart, valueEnd));
  return finish(signatureHolds(seal, publicKey.key, signed) ? 'dkim.pass' : 'dkim.signature-mismatch', bits);
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
  const needed = results.flatMap(({ instance, seal, messageSignature }, at) => [
    ...(at === 0
      ? [
          {
            code: 'arc.message-signature-failed',
            field: arcFields.messageSignature,
            instance,
            check: messageSignature,
          } as const,
        ]
      : []),
    { code: 'arc.seal-failed', field: arcFields.seal, instance, check: seal } as const,
  ]);
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

function unchecked({ domain, selector, algorithm }: SignerTags): ArcCheck {
  return { result: 'unchecked', domain, selector, algorithm };
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
