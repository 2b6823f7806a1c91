import { formatAuthenticationResultsField } from '@zegel/auth-results';
import type { AuthenticationResults } from '@zegel/auth-results';
import {
  BodyDigests,
  bareLineEnds,
  coverage,
  defaultSignedFields,
  isSignableName,
  signedData,
  tooManyNames,
  unsignable,
  unsignedField,
} from '@zegel/dkim';
import type { SignatureField, SignedFieldSet, SigningKey, Unsignable } from '@zegel/dkim';
import { hasBareLineEnds, messageLimits, parseMessage } from '@zegel/message';
import type { Header, MessageLimits } from '@zegel/message';
import { arcFields, readChain } from './chain.ts';
import type { ArcSet } from './chain.ts';
import { unsealedTexts } from './codes.ts';
import { SealingError } from './errors.ts';
import { formatSigned, formatUnsigned } from './format.ts';
import type { UnsignedField } from './format.ts';
import { arcLimits, maxSets } from './limits.ts';
import type { ArcLimits } from './limits.ts';
import type { ArcResult } from './result.ts';
import { SealData } from './seal-data.ts';

export interface SealOptions {
  readonly key: SigningKey;
  /** What this host found out about the message, `arc` included: it becomes ARC-Authentication-Results. */
  readonly authenticationResults: AuthenticationResults;
  /** The verdict on this same header, by `verifyChain` or `beginChainVerification`. It becomes cv=. */
  readonly chain: ArcResult;
  /**
   * h= of the ARC-Message-Signature: names in lower case, in this order. One that stands there more often than in the
   * message keeps others from adding it. Default: what DKIM signs, and every DKIM-Signature field.
   */
  readonly fields?: readonly string[];
  /** The time that goes into t=; default: now. */
  readonly now?: Date;
  readonly limits?: Partial<MessageLimits & ArcLimits>;
  /**
   * Digests that somebody else feeds; default: an own set, fed by `body()`. They may have ended, as they have when `chain` was
   * found in the same pass over the body, if the relaxed body was asked for before it began.
   */
  readonly digests?: BodyDigests;
}

/** Why a message is not sealed. What it has then stays as it is. */
export interface Unsealed {
  readonly code: keyof typeof unsealedTexts | Unsignable['code'];
  readonly explanation: string;
}

export type SealingOutcome =
  /** ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results, each CRLF ended, to be put on top in this order. */
  | { readonly ok: true; readonly instance: number; readonly fields: readonly Uint8Array[] }
  | { readonly ok: false; readonly problem: Unsealed };

/** A sealing run: begun on the header, fed the body, ended with the set. */
export interface ArcSealing {
  /** False when the header alone says that there will be no set. */
  readonly needsBody: boolean;
  /** All of the body, even when `digests` are fed by somebody else: its line ends are looked at. */
  body(chunk: Uint8Array): void;
  /** Rejects only when the key cannot be reached. */
  end(): Promise<SealingOutcome>;
}

/**
 * Seals a whole message with CRLF line ends. Answers the three fields of the new set, in the order they will stand, top
 * first; none when the message must not be sealed, for which {@link beginSealing} gives the reason.
 */
export async function seal(raw: Uint8Array, options: SealOptions): Promise<readonly Uint8Array[]> {
  const { header, body } = parseMessage(raw);
  const sealing = beginSealing(header, options);
  sealing.body(body);
  const outcome = await sealing.end();
  return outcome.ok ? outcome.fields : [];
}

/**
 * Begins to add a set to the chain of a message (RFC 8617 §5.1). Everything else that changes the message must have
 * happened: `header` is as it will be below the set. A chain that is broken is sealed as such, with cv=fail, once; so is
 * one whose keys the DNS did not give (§5.2.1), wherefore a door that can put the message off does that instead.
 *
 * Throws {@link SealingError} for `fields` that cannot be h=, and for a `chain` that is not of this header.
 */
export function beginSealing(header: Header, options: SealOptions): ArcSealing {
  const limits = { ...messageLimits, ...arcLimits, ...options.limits };
  const { key, chain } = options;
  const names = options.fields ?? coverage(header, sealedFields).names;
  checkNames(names);
  const sets = setsBelow(header, chain, limits);
  const problem = chainProblem(chain) ?? headerProblem(header, limits) ?? tooManyNames(names, limits);
  const digests = options.digests ?? new BodyDigests();
  digests.watchLineEnds();
  const digest = problem === null ? digests.request('relaxed') : null;
  return {
    needsBody: digest !== null,
    body(chunk) {
      if (options.digests === undefined) digests.update(chunk);
    },
    async end() {
      if (problem !== null || digest === null) return { ok: false, problem: unsealed(problem ?? bareLineEnds) };
      digests.end();
      if (hasBareLineEnds(header) || digests.bareLineEnds) return { ok: false, problem: unsealed(bareLineEnds) };
      const instance = chain.sets + 1;
      const common = {
        i: String(instance),
        a: key.algorithm,
        d: key.domain,
        s: key.selector,
        t: String(Math.floor((options.now ?? new Date()).getTime() / 1000)),
      };
      const results = formatAuthenticationResultsField({ ...options.authenticationResults, instance });
      const unsigned = formatUnsigned(arcFields.messageSignature, {
        ...common,
        c: 'relaxed/relaxed',
        h: names.join(':'),
        bh: digest().value,
      });
      const messageSignature = formatSigned(
        unsigned,
        await key.sign(signedData(header, names, 'relaxed', asField(unsigned))),
      );

      const data = new SealData();
      for (const set of sets) data.addSet(header, set);
      data.addField(results, arcFields.results);
      data.addField(messageSignature, arcFields.messageSignature);
      const unsignedSeal = formatUnsigned(arcFields.seal, { ...common, cv: chain.result });
      const sealField = formatSigned(unsignedSeal, await key.sign(data.signedBy(asField(unsignedSeal))));
      return { ok: true, instance, fields: [sealField, messageSignature, results] };
    },
  };
}

/** RFC 8617 §4.1.2: what DKIM signs, and the DKIM-Signature fields. */
const sealedFields: SignedFieldSet = {
  ...defaultSignedFields,
  whenPresent: [...defaultSignedFields.whenPresent, 'dkim-signature'],
};

/** RFC 8617 §4.1.2 keeps these out of h=; RFC 6376 §5.4 wants From in it. */
const neverSealed: readonly string[] = [
  'authentication-results',
  ...Object.values(arcFields).map((name) => name.toLowerCase()),
];

function checkNames(names: readonly string[]): void {
  const wrong = names.find((name) => !isSignableName(name) || neverSealed.includes(name));
  if (wrong !== undefined) throw new SealingError('arc.fields-unsealable', `h= cannot name this field: ${wrong}`);
  if (!names.includes('from')) throw new SealingError('arc.fields-unsealable', 'h= must name From');
}

/** The sets that the new seal covers: those of a whole chain, none of a broken one (RFC 8617 §5.1.2). */
function setsBelow(header: Header, { result, sets }: ArcResult, limits: ArcLimits): readonly ArcSet[] {
  if (result === 'fail') return [];
  const chain = readChain(header, limits);
  if (!chain.ok || chain.sets.length !== sets) {
    throw new SealingError('arc.chain-mismatch', 'The chain that was verified is not the chain of this header');
  }
  return chain.sets;
}

function chainProblem({ code, sets }: ArcResult): Unsealed | null {
  if (code === 'arc.chain-ended') return chainUnsealed('arc.chain-ended');
  if (code === 'arc.too-many-sets' || code === 'arc.too-long') return chainUnsealed('arc.chain-unreadable');
  return sets >= maxSets ? chainUnsealed('arc.chain-full') : null;
}

function chainUnsealed(code: keyof typeof unsealedTexts): Unsealed {
  return { code, explanation: unsealedTexts[code] };
}

/**
 * A header that cannot be sealed: whoever gets it would change it. One whose author is in doubt can, unlike when it is
 * signed, since a seal only tells what was seen, and the doubt stands in ARC-Authentication-Results.
 */
function headerProblem(header: Header, limits: MessageLimits): Unsealed | null {
  const problem = unsignable(header, limits);
  return problem?.code === 'message.repeated-field' || problem?.code === 'message.no-from' ? null : problem;
}

function unsealed({ code, explanation }: Unsealed): Unsealed {
  return { code, explanation };
}

function asField({ name, before, after }: UnsignedField): SignatureField {
  return unsignedField(Buffer.from(before + after, 'utf8'), name.length);
}
