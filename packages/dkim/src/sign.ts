import type { Canonicalization } from '@zegel/canonicalization';
import { hasBareLineEnds, messageLimits, parseMessage } from '@zegel/message';
import type { Header, MessageLimits } from '@zegel/message';
import { BodyDigests } from './body-digests.ts';
import { SigningIdentityError, SigningValidityError, UnsignableMessageError } from './errors.ts';
import { formatSignatureValue, formatUnsigned } from './format.ts';
import { CoveredFields, unsignedField } from './header-data.ts';
import { identityWithin } from './identity.ts';
import { dkimLimits } from './limits.ts';
import type { DkimLimits } from './limits.ts';
import { bareLineEnds, tooManyNames, unsignable } from './signable.ts';
import type { Unsignable } from './signable.ts';
import { coverage, defaultSignedFields } from './signed-fields.ts';
import type { SignedFieldSet } from './signed-fields.ts';
import type { SigningKey } from './signing-key.ts';

export interface SignOptions {
  /** One signature per key, in this order from the top. */
  readonly keys: readonly SigningKey[];
  /** Default: relaxed for both. */
  readonly canonicalization?: { readonly header: Canonicalization; readonly body: Canonicalization };
  readonly fields?: SignedFieldSet;
  /** The time that goes into t=; default: now. */
  readonly now?: Date;
  /** Seconds from now to x=, at least one. Default: no x=. */
  readonly validity?: number;
  /**
   * The identity the signature is for (i=): an address, or `@` and a domain, at the signing domain or below it. Default:
   * no i=, which means `@` and the signing domain.
   */
  readonly identity?: string;
  readonly limits?: Partial<MessageLimits & DkimLimits>;
  /**
   * Signs although a field of which RFC 5322 §3.6 allows one occurs more often (From excepted): every occurrence is covered.
   * Default: such a message is not signed.
   */
  readonly permitRepeatedFields?: boolean;
  /** Digests that somebody else feeds; default: an own set, fed by `body()`. */
  readonly digests?: BodyDigests;
}

/** One signature that is wanted: its key, and the tags that are its own. Those left out are as the options say. */
export interface SignatureRequest extends Pick<SignOptions, 'identity' | 'validity'> {
  readonly key: SigningKey;
}

/** One DKIM-Signature field that was made. */
export interface MadeSignature {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SigningKey['algorithm'];
  /** The whole field, CRLF ended. */
  readonly field: Uint8Array;
}

export type SigningOutcome =
  | { readonly ok: true; readonly signatures: readonly MadeSignature[] }
  | { readonly ok: false; readonly problem: Unsignable };

/** A signing run: begun on the header, fed the body, ended with the signatures. */
export interface DkimSigning {
  /** False when the header alone says that there will be no signature. */
  readonly needsBody: boolean;
  body(chunk: Uint8Array): void;
  /** The whole body at once: the same, with less work for a small one. */
  whole(body: Uint8Array): void;
  /**
   * Makes the signatures that are wanted, by default one with each key given at the beginning: a caller may have looked
   * for keys meanwhile. Rejects when a key cannot be reached, and with a {@link SigningIdentityError} for an identity
   * outside its domain.
   */
  end(requests?: readonly SignatureRequest[]): Promise<SigningOutcome>;
}

/**
 * Signs a whole message with CRLF line ends (RFC 6376 §5). Answers the DKIM-Signature fields, CRLF ended, to be put on
 * top. Throws {@link UnsignableMessageError} for a message that must not be signed.
 */
export async function signMessage(raw: Uint8Array, options: SignOptions): Promise<Uint8Array> {
  const { header, body } = parseMessage(raw);
  const signing = beginSigning(header, options);
  signing.whole(body);
  const outcome = await signing.end();
  if (!outcome.ok) throw new UnsignableMessageError(outcome.problem.code, outcome.problem.explanation);
  return Buffer.concat(outcome.signatures.map((signature) => signature.field));
}

const signingLimits: MessageLimits & DkimLimits = { ...messageLimits, ...dkimLimits };

/** Begins to sign a message: what the header decides is decided here. */
export function beginSigning(header: Header, options: SignOptions): DkimSigning {
  const limits = options.limits === undefined ? signingLimits : { ...signingLimits, ...options.limits };
  const canonicalization = options.canonicalization ?? { header: 'relaxed', body: 'relaxed' };
  const { names, fields } = coverage(header, options.fields ?? defaultSignedFields);
  const problem = unsignable(header, limits, options.permitRepeatedFields) ?? tooManyNames(names, limits);
  const digests = options.digests ?? new BodyDigests();
  digests.watchLineEnds();
  const digest = problem === null ? digests.request(canonicalization.body) : null;
  return {
    needsBody: digest !== null,
    body(chunk) {
      if (options.digests === undefined) digests.update(chunk);
    },
    whole(body) {
      if (options.digests === undefined) digests.whole(body);
    },
    async end(requests = options.keys.map((key) => ({ key }))) {
      if (problem !== null || digest === null) return { ok: false, problem: problem ?? bareLineEnds };
      digests.end();
      if (hasBareLineEnds(header) || digests.bareLineEnds) return { ok: false, problem: bareLineEnds };
      const timestamp = Math.floor((options.now?.getTime() ?? Date.now()) / 1000);
      const bodyHash = digest().value;
      const covered = new CoveredFields(header.bytes, fields, canonicalization.header);
      const signatures = requests.map(async (request): Promise<MadeSignature> => {
        const { key, identity: wanted = options.identity, validity = options.validity } = request;
        const { domain, selector, algorithm } = key;
        const identity = wanted === undefined ? undefined : identityWithin(wanted, domain);
        if (identity === null) throw new SigningIdentityError(`${wanted}`, domain);
        const text = formatUnsigned({
          algorithm,
          headerCanonicalization: canonicalization.header,
          bodyCanonicalization: canonicalization.body,
          domain,
          selector,
          identity,
          timestamp,
          expiration: validity === undefined ? undefined : expirationOf(timestamp, validity),
          signedFields: names,
          bodyHash,
        });
        const field = unsignedField(Buffer.from(text, 'utf8'), 'DKIM-Signature'.length);
        const signature = await key.sign(covered.signedWith(field));
        return { domain, selector, algorithm, field: Buffer.from(text + formatSignatureValue(signature), 'utf8') };
      });
      return { ok: true, signatures: await Promise.all(signatures) };
    },
  };
}

/** x=: later than t=, and of at most twelve digits (RFC 6376 §3.5). */
function expirationOf(timestamp: number, validity: number): number {
  const expiration = timestamp + validity;
  if (!Number.isInteger(validity) || validity < 1 || expiration >= 1e12) throw new SigningValidityError(validity);
  return expiration;
}
