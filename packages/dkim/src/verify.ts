import { after, all, isSubdomainOf } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { asBuffer, fieldsNamed, parseMessage, readAuthor } from '@zegel/message';
import type { Header, HeaderField } from '@zegel/message';
import { BodyDigests } from './body-digests.ts';
import type { BodyDigest } from './body-digests.ts';
import type { DkimCode } from './codes.ts';
import { dataToVerify } from './header-data.ts';
import { lookUpKey } from './key-lookup.ts';
import type { KeyLookup } from './key-lookup.ts';
import { signatureHolds, usableKey } from './key-use.ts';
import { dkimLimits } from './limits.ts';
import type { DkimLimits } from './limits.ts';
import { dkimResult } from './result.ts';
import type { DkimEvidence, DkimFacts, DkimResult, Unfinished } from './result.ts';
import { rfc3339 } from './rfc3339.ts';
import { parseSignature } from './signature.ts';
import type { Signature } from './signature.ts';

export interface VerifyOptions {
  readonly resolver: Resolver;
  /** The time of the check; default: now. */
  readonly now?: Date;
  readonly limits?: Partial<DkimLimits>;
  /** Ends the wait for DNS: what is not known by then is `temperror`. */
  readonly signal?: AbortSignal;
  /** Digests that somebody else feeds; default: an own set, fed by `body()`. */
  readonly digests?: BodyDigests;
}

/** A verification under way: begun on the header, fed the body, ended with one result per signature. */
export interface DkimVerification {
  /** Whether any signature needs the body. */
  readonly needsBody: boolean;
  /** The next part of the body. Does nothing when `digests` are fed by somebody else. */
  body(chunk: Uint8Array): void;
  /** The whole body at once: the same, with less work for a small one. */
  whole(body: Uint8Array): void;
  /** The results, in the order the signatures stand, or one with result `none`. Rejects only if the resolver does. */
  end(): Promise<readonly DkimResult[]>;
}

/** Verifies every DKIM-Signature of a whole message with CRLF line ends (RFC 6376 §6). */
export function verifyMessage(raw: Uint8Array, options: VerifyOptions): Promise<readonly DkimResult[]> {
  const { header, body } = parseMessage(raw);
  const verification = beginVerification(header, options);
  verification.whole(body);
  return verification.end();
}

/**
 * Begins to verify the signatures of a message (RFC 6376 §6). Key look-ups start at once and go on while the body
 * streams. At most `maxSignatures` are checked, those of the author's own domain first, so that junk on top cannot hide
 * them; every signature gets a result.
 */
export function beginVerification(header: Header, options: VerifyOptions): DkimVerification {
  const limits = options.limits === undefined ? dkimLimits : { ...dkimLimits, ...options.limits };
  const digests = options.digests ?? new BodyDigests();
  const checks = chosen(readSignatures(header, limits), header, limits).map((read) =>
    'signature' in read ? beginSignatureCheck(read, header, digests, options, limits) : () => read.result,
  );
  return {
    needsBody: digests.needsBody,
    body(chunk) {
      if (options.digests === undefined) digests.update(chunk);
    },
    whole(body) {
      if (options.digests === undefined) digests.whole(body);
    },
    async end() {
      digests.end();
      if (checks.length === 0) return [dkimResult('dkim.none', { evidence: {} })];
      return all(checks.map((check) => check()));
    },
  };
}

/** A signature that could be read and whose look is in order. */
export interface ReadSignature {
  readonly field: HeaderField;
  readonly occurrence: number;
  readonly signature: Signature;
}

type Read = ReadSignature | { readonly result: DkimResult };

function readSignatures(header: Header, limits: DkimLimits): readonly Read[] {
  return fieldsNamed(header, 'dkim-signature').map((field, at): Read => {
    const occurrence = at + 1;
    if (field.end - field.start > limits.maxSignatureBytes) {
      const evidence = { occurrence, limit: limits.maxSignatureBytes };
      return { result: dkimResult('dkim.signature-too-long', { evidence }) };
    }
    const parsed = parseSignature(fieldText(header, field), limits);
    if (parsed.ok) return { field, occurrence, signature: parsed.signature };
    const { domain, selector, value } = parsed.partial;
    const evidence: DkimEvidence = {
      occurrence,
      ...(parsed.tag === undefined ? {} : { tag: parsed.tag }),
      ...(parsed.code === 'dkim.too-many-signed-fields' ? { limit: limits.maxSignedFields } : {}),
    };
    return {
      result: dkimResult(parsed.code, {
        ...(domain === undefined ? {} : { domain }),
        ...(selector === undefined ? {} : { selector }),
        ...(value === undefined ? {} : { signature: value }),
        evidence,
      }),
    };
  });
}

/** The value of a field, one character per byte, without the CRLF that ends it. */
export function fieldText(header: Header, field: HeaderField): string {
  const { bytes } = header;
  const text = asBuffer(bytes).toString('latin1', field.colon + 1, field.end);
  return text.endsWith('\r\n') ? text.slice(0, -2) : text;
}

/** Replaces the signatures above the limit by a `policy` result: the author's own domain first, then from the top. */
function chosen(reads: readonly Read[], header: Header, limits: DkimLimits): readonly Read[] {
  if (reads.length <= limits.maxSignatures) return reads;
  const readable = reads.filter((read) => 'signature' in read);
  if (readable.length <= limits.maxSignatures) return reads;
  const author = readAuthor(header);
  const domains = author.ok ? author.domains : [];
  const isAligned = ({ signature: { domain } }: ReadSignature): boolean =>
    domains.some((other) => isSubdomainOf(other, domain) || isSubdomainOf(domain, other));
  const kept = new Set(
    [...readable.filter(isAligned), ...readable.filter((read) => !isAligned(read))].slice(0, limits.maxSignatures),
  );
  return reads.map((read) => {
    if (!('signature' in read) || kept.has(read)) return read;
    const evidence = { occurrence: read.occurrence, limit: limits.maxSignatures };
    return { result: dkimResult('dkim.too-many-signatures', factsOf(read.signature, evidence)) };
  });
}

/** How results and Authentication-Results name a signature, and what was found out about it. */
function factsOf(signature: Signature, evidence: DkimEvidence, testing?: boolean): DkimFacts {
  const { domain, selector, identity, algorithm, value } = signature;
  return { domain, selector, identity, algorithm, signature: value, testing, evidence };
}

/**
 * Starts what can start now, the key look-up and the body digest, and answers how to finish once the body is through:
 * at once where the key is known.
 */
export function beginSignatureCheck(
  read: ReadSignature,
  header: Header,
  digests: BodyDigests,
  options: VerifyOptions,
  limits: DkimLimits,
): () => DkimResult | Promise<DkimResult> {
  const { signature } = read;
  const evidence = signatureEvidence(read);
  const finish = (code: DkimCode, testing?: boolean): DkimResult =>
    dkimResult(code, factsOf(signature, evidence, testing));
  const problem = algorithmProblem(signature) ?? timeProblem(signature, options.now?.getTime() ?? Date.now(), limits);
  if (problem !== null) return () => finish(problem);

  const digest = digests.request(signature.bodyCanonicalization, signature.bodyLength);
  const looking = lookUpKey(signature, options, limits);
  // Whoever calls end() sees the rejection; a caller that never does must not bring the process down.
  if (looking instanceof Promise) looking.catch(() => {});
  const check = (key: KeyLookup): DkimResult => {
    addKey(evidence, key.evidence);
    if (!key.ok) return finish(key.code);
    const code = checkSignature(read, header, key, digest(), limits, evidence);
    return key.record.testing ? finish(code, true) : finish(code);
  };
  return () => after(looking, check);
}

/** What has been found out so far. */
type Findings = Unfinished<DkimEvidence>;

function signatureEvidence({ occurrence, signature }: ReadSignature): Findings {
  const { timestamp, expiration, bodyLength } = signature;
  const evidence: Findings = {
    occurrence,
    canonicalization: `${signature.headerCanonicalization}/${signature.bodyCanonicalization}`,
    signedFields: signature.signedFields,
  };
  if (timestamp !== undefined) evidence.timestamp = rfc3339(timestamp);
  if (expiration !== undefined) evidence.expiration = rfc3339(expiration);
  if (bodyLength !== undefined) evidence.bodyLength = bodyLength;
  return evidence;
}

/** One by one, as `dkimResult` does it and for the same reason. */
function addKey(evidence: Findings, { keyName, keyTtl, keyAuthentic, keyRecord, reason }: DkimEvidence): void {
  if (keyName !== undefined) evidence.keyName = keyName;
  if (keyTtl !== undefined) evidence.keyTtl = keyTtl;
  if (keyAuthentic !== undefined) evidence.keyAuthentic = keyAuthentic;
  if (keyRecord !== undefined) evidence.keyRecord = keyRecord;
  if (reason !== undefined) evidence.reason = reason;
}

/** Whether a= is an algorithm that counts (RFC 8301 §3.1, RFC 8463). */
export function algorithmProblem({ algorithm }: Pick<Signature, 'algorithm'>): DkimCode | null {
  if (algorithm === 'rsa-sha256' || algorithm === 'ed25519-sha256') return null;
  return algorithm === 'rsa-sha1' ? 'dkim.algorithm-obsolete' : 'dkim.algorithm-unsupported';
}

/** Whether t= lies in the future or x= in the past. `now`: milliseconds since 1970. */
export function timeProblem(
  { timestamp, expiration }: Pick<Signature, 'timestamp' | 'expiration'>,
  now: number,
  limits: Pick<DkimLimits, 'clockSkew'>,
): DkimCode | null {
  const seconds = now / 1000;
  if (expiration !== undefined && seconds > expiration + limits.clockSkew) return 'dkim.expired';
  if (timestamp !== undefined && timestamp > seconds + limits.clockSkew) return 'dkim.timestamp-in-future';
  return null;
}

type FoundKey = Extract<KeyLookup, { ok: true }>;

/** RFC 6376 §6.1.2 steps 5 to 9 and §6.1.3. Adds what it finds out to `evidence`. */
function checkSignature(
  { field, signature }: ReadSignature,
  header: Header,
  { record }: FoundKey,
  digest: BodyDigest,
  limits: DkimLimits,
  evidence: Findings,
): DkimCode {
  const publicKey = usableKey(signature, record, limits);
  if (publicKey.bits !== undefined) evidence.keyBits = publicKey.bits;
  if (!publicKey.ok) return publicKey.code;
  if (record.strictIdentity && signature.identityDomain !== signature.domain) return 'dkim.identity-not-domain';

  const { canonicalLength, value: computed } = digest;
  const { bodyLength, bodyHash: signed } = signature;
  evidence.bodyHash = { signed, computed };
  if (bodyLength !== undefined) {
    evidence.canonicalBodyLength = canonicalLength;
    if (bodyLength > canonicalLength) return 'dkim.body-length-exceeds';
  }

  const data = dataToVerify(header, signature.signedFields, signature.headerCanonicalization, field, signature);
  const headerIntact = signatureHolds(signature, publicKey.key, data);
  if (!isSameHash(signed, computed)) {
    evidence.headerIntact = headerIntact;
    // Without a signature that holds, bh= is anybody's word.
    return headerIntact ? 'dkim.body-hash-mismatch' : 'dkim.header-and-body-mismatch';
  }
  if (!headerIntact) return 'dkim.signature-mismatch';
  return bodyLength !== undefined && bodyLength < canonicalLength ? 'dkim.body-not-covered' : 'dkim.pass';
}

/**
 * Whether two base64 texts mean the same octets: one may lack its padding, or have bits in its last digit that count
 * for nothing.
 */
function isSameHash(one: string, other: string): boolean {
  return one === other || Buffer.from(one, 'base64').equals(Buffer.from(other, 'base64'));
}
