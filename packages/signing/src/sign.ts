import { BodyDigests, beginSigning as beginDkim } from '@zegel/dkim';
import type { DkimLimits, MadeSignature, SignOptions, SignedFieldSet, SigningKey } from '@zegel/dkim';
import { isSubdomainOf } from '@zegel/dns';
import {
  MessageScanner,
  exceededLimit,
  fillTexts,
  messageLimits,
  noEdits,
  normalizeDomain,
  parseMessage,
  readAuthor,
} from '@zegel/message';
import type { Author, ExceededLimit, Header, HeaderEdits, MessageLimits } from '@zegel/message';
import { signingCodes } from './codes.ts';
import type { SigningCode } from './codes.ts';
import { findKeys } from './find-keys.ts';
import type { FoundKeys } from './find-keys.ts';
import type { KeySource } from './key-source.ts';
import { authorOrAbove } from './signing-plan.ts';
import type { SigningPlan, SigningTable } from './signing-plan.ts';
import { mayAskFor, maySignAs } from './submitter.ts';
import type { Submitter } from './submitter.ts';

/** What the door knows about a message besides its bytes. */
export interface SigningContext {
  readonly envelope?: { readonly mailFrom?: string; readonly rcptTo?: readonly string[] };
  /** Who hands the message in. Left out only by a caller that vouches for the author itself. */
  readonly submitter?: Submitter;
  /** The signing domain asked for. Default: as the signing table says. */
  readonly domain?: string;
  /** The door cannot vouch that these are the octets of the message: it is not signed. */
  readonly mayBeDamaged?: boolean;
}

export interface SigningOptions {
  readonly keySource: KeySource;
  /** Which domains sign for which author. Default: the author domain, or the nearest above it that is known. */
  readonly table?: SigningTable;
  /** Default: relaxed for both. */
  readonly canonicalization?: SignOptions['canonicalization'];
  /** See `SignOptions` of @zegel/dkim. Several From fields are refused in any case. */
  readonly permitRepeatedFields?: boolean;
  /** The time that goes into t=; default: now. */
  readonly now?: Date;
  /** Seconds until the signature expires (x=). Default: it does not. */
  readonly validity?: number;
  /** The identity the signature is for (i=), at the signing domain or below it. Default: none is written. */
  readonly identity?: string;
  readonly fields?: SignedFieldSet;
  readonly limits?: Partial<MessageLimits & DkimLimits>;
}

/** One signature that was made. */
export interface SignatureReport {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SigningKey['algorithm'];
  /** The DKIM-Signature field, CRLF ended. */
  readonly field: string;
}

/** What came of signing. A refusal is a result: `edits` changes nothing then. */
export interface SigningResult {
  readonly result: 'signed' | 'refused';
  readonly code: SigningCode;
  readonly explanation: string;
  readonly advice?: string;
  readonly signatures: readonly SignatureReport[];
  readonly edits: HeaderEdits;
  readonly evidence: SigningEvidence;
}

/** How the signing domain was found, or why there was none. */
export interface SigningEvidence {
  readonly authorDomain?: string;
  readonly requestedDomain?: string;
  /** The rule of the signing table that chose; absent where none has. */
  readonly rule?: string;
  /** The signing domain. */
  readonly domain?: string;
  /** Selectors with their algorithm; those of additional signing domains name these. */
  readonly selectors?: string;
  /** The domains whose keys were looked for, in that order. */
  readonly lookedFor?: string;
  /** The header field, or the number of the header line, that is to blame. */
  readonly field?: string;
  readonly detail?: string;
  readonly limit?: string;
  readonly allowed?: number;
  readonly found?: number;
}

/** A signing run: begun on the header, fed the body, ended with signatures and edits. */
export interface Signing {
  /** False when the header alone says that the message is refused. */
  readonly needsBody: boolean;
  /** The next part of the body. */
  body(chunk: Uint8Array): void;
  /** The whole body at once: the same, with less work for a small one. */
  whole(body: Uint8Array): void;
  /** Rejects only for lost infrastructure: the key source or a remote key cannot be reached. */
  end(): Promise<SigningResult>;
  /** Ends the run without a result. */
  abort(): void;
}

/**
 * Begins to sign a message: decides from the header and the submitter whether and for which domain, looks for keys at
 * once, and hashes the body as it comes.
 */
export function beginSigning(header: Header, context: SigningContext, options: SigningOptions): Signing {
  const limits = { ...messageLimits, ...options.limits };
  const { keySource, table = authorOrAbove, canonicalization, permitRepeatedFields, now, fields } = options;
  const decision = decide(header, context, table, limits);
  if (decision.code !== null) return refused(decision.code, decision.evidence);

  const digests = new BodyDigests();
  const run = beginDkim(header, {
    keys: [],
    digests,
    limits,
    ...(canonicalization === undefined ? {} : { canonicalization }),
    ...(permitRepeatedFields === undefined ? {} : { permitRepeatedFields }),
    ...(now === undefined ? {} : { now }),
    ...(fields === undefined ? {} : { fields }),
  });
  const looking = findKeys(decision.plan, keySource, options);
  // The rejection is seen by end(); a run that is aborted must not bring the process down.
  looking.catch(() => {});
  let size = header.bytes.length + 2;
  return {
    needsBody: run.needsBody,
    body(chunk) {
      size += chunk.length;
      if (size > limits.maxMessageBytes) return;
      digests.update(chunk);
    },
    whole(body) {
      size += body.length;
      if (size <= limits.maxMessageBytes) digests.whole(body);
    },
    async end() {
      const found = await looking;
      const evidence = { ...decision.evidence, ...keyEvidence(found) };
      if (size > limits.maxMessageBytes) {
        return refusal('message.limit-exceeded', {
          ...evidence,
          limit: 'maxMessageBytes',
          found: size,
          allowed: limits.maxMessageBytes,
        });
      }
      if (found.code !== null) {
        await run.end();
        return refusal(found.code, evidence);
      }
      const outcome = await run.end(found.requests);
      if (!outcome.ok) {
        const { code, facts } = outcome.problem;
        return refusal(code, { ...evidence, ...facts });
      }
      return signed(outcome.signatures, decision.authorDomain, found.domain, evidence);
    },
    abort() {},
  };
}

/**
 * Signs a whole message, or one that arrives in chunks. Line ends must be CRLF; see `normalizeLineEnds` of
 * `@zegel/message` for doors that take files.
 */
export async function sign(
  raw: Uint8Array | AsyncIterable<Uint8Array>,
  context: SigningContext,
  options: SigningOptions,
): Promise<SigningResult> {
  if (raw instanceof Uint8Array) {
    const { header, body } = parseMessage(raw);
    const whole = beginSigning(header, context, options);
    whole.whole(body);
    return whole.end();
  }
  const scanner = new MessageScanner();
  let run: Signing | undefined;
  try {
    for await (const chunk of raw) {
      const body = scanner.push(chunk);
      if (run === undefined && scanner.header !== undefined) run = beginSigning(scanner.header, context, options);
      run?.body(body);
    }
  } catch (error) {
    // The stream broke off: nobody will ask for the result.
    run?.abort();
    throw error;
  }
  run ??= beginSigning(scanner.end(), context, options);
  return run.end();
}

type Decision =
  | {
      readonly code: null;
      readonly authorDomain: string;
      readonly plan: SigningPlan;
      readonly evidence: SigningEvidence;
    }
  | { readonly code: SigningCode; readonly evidence: SigningEvidence };

/** Whether the message has an author that the submitter may sign for, and which domains may sign. */
function decide(
  header: Header,
  { submitter, domain, mayBeDamaged = false }: SigningContext,
  table: SigningTable,
  limits: MessageLimits,
): Decision {
  if (header.fields.length === 0) return { code: 'message.no-header', evidence: {} };
  const author = readAuthor(header, limits);
  if (!author.ok) return { code: author.code, evidence: authorEvidence(author) };
  const exceeded = exceededLimit(header, limits);
  if (exceeded !== null) return { code: 'message.limit-exceeded', evidence: limitEvidence(exceeded) };
  const evidence: SigningEvidence = {
    authorDomain: author.domains.join(', '),
    ...(domain === undefined ? {} : { requestedDomain: domain }),
  };
  const requested = domain === undefined ? undefined : normalizeDomain(domain);
  if (submitter !== undefined) {
    const mayAsk = requested === undefined || requested === null || mayAskFor(submitter, requested);
    if (!mayAsk || !maySignAs(submitter, author.mailboxes)) return { code: 'signing.not-permitted', evidence };
  }
  if (mayBeDamaged) return { code: 'message.bytes-not-exact', evidence };
  const [authorDomain, ...others] = author.domains;
  if (authorDomain === undefined || others.length > 0) return { code: 'signing.several-author-domains', evidence };
  if (requested === undefined) {
    const plan = table.planFor(authorDomain);
    return { code: null, authorDomain, plan, evidence: { ...evidence, ...ruleOf(plan) } };
  }
  if (requested === null || !isSubdomainOf(authorDomain, requested))
    return { code: 'signing.domain-mismatch', evidence };
  return { code: null, authorDomain, plan: { candidates: [{ domain: requested }] }, evidence };
}

function limitEvidence({ limit, allowed, found }: ExceededLimit): SigningEvidence {
  return { limit, allowed, found };
}

function authorEvidence(author: Extract<Author, { ok: false }>): SigningEvidence {
  return author.detail === undefined ? {} : { detail: author.detail };
}

function ruleOf({ rule }: SigningPlan): SigningEvidence {
  return rule === undefined ? {} : { rule };
}

function keyEvidence(found: FoundKeys): SigningEvidence {
  return found.code === null ? { domain: found.domain, selectors: found.selectors } : found.evidence;
}

function refused(code: SigningCode, evidence: SigningEvidence): Signing {
  return { needsBody: false, body() {}, whole() {}, end: async () => refusal(code, evidence), abort() {} };
}

function refusal(code: SigningCode, evidence: SigningEvidence): SigningResult {
  return { ...wording(code, evidence), signatures: [], edits: noEdits, evidence };
}

function signed(
  signatures: readonly MadeSignature[],
  authorDomain: string,
  domain: string,
  evidence: SigningEvidence,
): SigningResult {
  const fits = isSubdomainOf(authorDomain, domain);
  return {
    ...wording(fits ? 'signing.signed' : 'signing.signed-other-domain', evidence),
    signatures: signatures.map(({ domain, selector, algorithm, field }) => ({
      domain,
      selector,
      algorithm,
      field: Buffer.from(field).toString('utf8'),
    })),
    edits: { remove: [], prepend: signatures.map((signature) => signature.field) },
    evidence,
  };
}

function wording(
  code: SigningCode,
  evidence: SigningEvidence,
): Pick<SigningResult, 'result' | 'code' | 'explanation' | 'advice'> {
  const entry: { result: 'signed' | 'refused'; explanation: string; advice?: string } = signingCodes[code];
  return {
    result: entry.result,
    code,
    ...fillTexts(entry, evidence),
  };
}
