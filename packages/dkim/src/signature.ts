import type { Canonicalization } from '@zegel/canonicalization';
import { KeptByText, isSubdomainOf } from '@zegel/dns';
import { normalizeDomain } from '@zegel/message';
import { identityLocalPart } from './identity.ts';
import type { DkimLimits } from './limits.ts';
import type { Unfinished } from './result.ts';
import { base64Text, foldingWhiteSpace, parseTagList, trimFws, utf8, withoutFws } from './tag-list.ts';
import type { Tag, Tags } from './tag-list.ts';

/** Who signed and how: the tags that DKIM-Signature, ARC-Message-Signature and ARC-Seal share (RFC 6376 §3.5). */
export interface SignerTags {
  /** a=, lower case, as written otherwise. */
  readonly algorithm: string;
  /** b= without white space. */
  readonly value: string;
  readonly signatureBytes: Buffer;
  /** d= as an A-label name. */
  readonly domain: string;
  /** s= as an A-label name. */
  readonly selector: string;
  /** t=, seconds since 1970. */
  readonly timestamp?: number;
  /** Where the raw b= value stands in the text that was parsed. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** What of a message is signed: the tags that DKIM-Signature and ARC-Message-Signature share. */
export interface CoverageTags {
  /** bh= as base64 without white space. */
  readonly bodyHash: string;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** h=, lower case, in order, with repetitions. */
  readonly signedFields: readonly string[];
  /** l=, in octets. */
  readonly bodyLength?: number;
  /** x=, seconds since 1970. */
  readonly expiration?: number;
}

/** What a DKIM-Signature field says (RFC 6376 §3.5), before any of it is believed. */
export interface Signature extends SignerTags, CoverageTags {
  /** i=, or `@` and the signing domain. */
  readonly identity: string;
  /** The domain of i=. */
  readonly identityDomain: string;
}

export type SignatureProblem =
  | 'dkim.signature-syntax'
  | 'dkim.repeated-tag'
  | 'dkim.version-unsupported'
  | 'dkim.missing-tag'
  | 'dkim.invalid-tag'
  | 'dkim.from-not-signed'
  | 'dkim.identity-outside-domain'
  | 'dkim.query-method-unsupported'
  | 'dkim.too-many-signed-fields';

export type ParsedSignature =
  | { readonly ok: true; readonly signature: Signature }
  | {
      readonly ok: false;
      readonly code: SignatureProblem;
      readonly tag?: string;
      /** d=, s= and b= where they could be read, so that the result can name them. */
      readonly partial: { readonly domain?: string; readonly selector?: string; readonly value?: string };
    };

/** Tags that were read, or the one that was wrong. */
export type ReadTags<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: SignatureProblem; readonly tag: string };

/**
 * Reads the value of a DKIM-Signature field: what stands behind the colon, one character per byte, folds and all.
 */
export function parseSignature(text: string, limits: Pick<DkimLimits, 'maxSignedFields'>): ParsedSignature {
  const list = parseTagList(text);
  if (!list.ok) {
    const code = list.reason === 'repeated-tag' ? 'dkim.repeated-tag' : 'dkim.signature-syntax';
    return { ok: false, code, ...(list.tag === undefined ? {} : { tag: list.tag }), partial: {} };
  }
  const { tags } = list;
  const problem = (code: SignatureProblem, tag?: string): ParsedSignature => ({
    ok: false,
    code,
    ...(tag === undefined ? {} : { tag }),
    partial: readableTags(tags),
  });

  for (const name of requiredTags) if (!tags.has(name)) return problem('dkim.missing-tag', name);
  if (tags.get('v')?.value !== '1') return problem('dkim.version-unsupported', 'v');
  const signer = readSignerTags(tags);
  if (!signer.ok) return problem(signer.code, signer.tag);
  const coverage = readCoverageTags(tags, limits);
  if (!coverage.ok) return problem(coverage.code, coverage.tag);

  const { domain } = signer.value;
  const identity = parseIdentity(tags.get('i')?.value, domain);
  if (identity === null) return problem('dkim.invalid-tag', 'i');
  if (!isSubdomainOf(identity.domain, domain)) return problem('dkim.identity-outside-domain', 'i');
  return { ok: true, signature: joined(signer.value, coverage.value, identity) };
}

const requiredTags = ['v', 'a', 'b', 'bh', 'd', 'h', 's'];

/** All of it in one object, put together by hand: a spread takes as long as reading a tag. */
function joined(
  signer: SignerTags,
  coverage: CoverageTags,
  identity: { readonly text: string; readonly domain: string },
): Signature {
  const signature: Unfinished<Signature> = {
    algorithm: signer.algorithm,
    value: signer.value,
    signatureBytes: signer.signatureBytes,
    domain: signer.domain,
    selector: signer.selector,
    valueStart: signer.valueStart,
    valueEnd: signer.valueEnd,
    bodyHash: coverage.bodyHash,
    headerCanonicalization: coverage.headerCanonicalization,
    bodyCanonicalization: coverage.bodyCanonicalization,
    signedFields: coverage.signedFields,
    identity: identity.text,
    identityDomain: identity.domain,
  };
  if (signer.timestamp !== undefined) signature.timestamp = signer.timestamp;
  if (coverage.bodyLength !== undefined) signature.bodyLength = coverage.bodyLength;
  if (coverage.expiration !== undefined) signature.expiration = coverage.expiration;
  return signature;
}

/** d=, s= and b= as far as they can be read. */
function readableTags(tags: Tags): { readonly domain?: string; readonly selector?: string; readonly value?: string } {
  const domain = domainTag(tags.get('d'));
  const selector = domainTag(tags.get('s'));
  const b = tags.get('b');
  const value = b === undefined ? null : base64Text(b.value);
  return {
    ...(domain === null ? {} : { domain }),
    ...(selector === null ? {} : { selector }),
    // Only what is base64: it goes into Authentication-Results, and text of the sender's choice must not.
    ...(value === null ? {} : { value }),
  };
}

/** Reads a=, b=, d=, s= and t=. A missing tag is reported like an invalid one, with `dkim.missing-tag`. */
export function readSignerTags(tags: Tags): ReadTags<SignerTags> {
  const a = tags.get('a');
  const b = tags.get('b');
  const d = tags.get('d');
  const s = tags.get('s');
  if (a === undefined) return missing('a');
  if (b === undefined) return missing('b');
  if (d === undefined) return missing('d');
  if (s === undefined) return missing('s');
  const domain = domainTag(d);
  if (domain === null) return invalid('d');
  const selector = domainTag(s);
  if (selector === null) return invalid('s');
  const algorithm = algorithms.get(a.value);
  if (algorithm === null) return invalid('a');
  const signatureText = base64Text(b.value);
  if (signatureText === null) return invalid('b');
  const timestamp = numberTag(tags.get('t'), 12);
  if (timestamp === null) return invalid('t');
  const value: Unfinished<SignerTags> = {
    algorithm,
    value: signatureText,
    signatureBytes: Buffer.from(signatureText, 'base64'),
    domain,
    selector,
    valueStart: b.start,
    valueEnd: b.end,
  };
  if (timestamp !== undefined) value.timestamp = timestamp;
  return { ok: true, value };
}

/**
 * Reads bh=, c=, h=, l=, q= and x=. Demands that h= names From (RFC 6376 §3.5).
 *
 * @param fieldNames what is read instead of the value of h=.
 */
export function readCoverageTags(
  tags: Tags,
  limits: Pick<DkimLimits, 'maxSignedFields'>,
  fieldNames = tags.get('h')?.value,
): ReadTags<CoverageTags> {
  const bh = tags.get('bh');
  if (bh === undefined) return missing('bh');
  if (fieldNames === undefined) return missing('h');
  const bodyHash = base64Text(bh.value);
  if (bodyHash === null) return invalid('bh');

  const c = tags.get('c');
  const canonicalization = c === undefined ? simple : canonicalizations.get(c.value);
  if (canonicalization === null) return invalid('c');

  const signedFields = fieldNameLists.get(fieldNames);
  if (signedFields === null) return invalid('h');
  if (signedFields.length > limits.maxSignedFields) {
    return { ok: false, code: 'dkim.too-many-signed-fields', tag: 'h' };
  }
  if (!signedFields.includes('from')) return { ok: false, code: 'dkim.from-not-signed', tag: 'h' };

  const query = tags.get('q');
  if (query !== undefined && !query.value.split(':').some((method) => trimFws(method).toLowerCase() === 'dns/txt')) {
    return { ok: false, code: 'dkim.query-method-unsupported', tag: 'q' };
  }

  const bodyLength = numberTag(tags.get('l'), 76);
  const timestamp = numberTag(tags.get('t'), 12);
  const expiration = numberTag(tags.get('x'), 12);
  if (bodyLength === null) return invalid('l');
  // RFC 6376 §3.5: x= MUST be greater than t=.
  if (expiration === null || (expiration !== undefined && typeof timestamp === 'number' && expiration <= timestamp)) {
    return invalid('x');
  }
  const value: Unfinished<CoverageTags> = {
    bodyHash,
    headerCanonicalization: canonicalization.header,
    bodyCanonicalization: canonicalization.body,
    signedFields,
  };
  if (bodyLength !== undefined) value.bodyLength = bodyLength;
  if (expiration !== undefined) value.expiration = expiration;
  return { ok: true, value };
}

function missing(tag: string): ReadTags<never> {
  return { ok: false, code: 'dkim.missing-tag', tag };
}

function invalid(tag: string): ReadTags<never> {
  return { ok: false, code: 'dkim.invalid-tag', tag };
}

/** a=: a word for the key, and one for the hash, in lower case. */
const algorithms = new KeptByText((value) => {
  const algorithm = value.toLowerCase();
  return /^[a-z0-9]+-[a-z0-9]+$/.test(algorithm) ? algorithm : null;
}, 32);

/** d= and s=: a domain name, U-labels allowed (RFC 8616 §4). */
function domainTag(tag: Tag | undefined): string | null {
  return tag === undefined ? null : domains.get(tag.value);
}

/** The same, made once for each text. */
const domains = new KeptByText((value) => {
  const text = utf8(value);
  return text === null ? null : domainName(text);
}, 255);

/** RFC 6376 §3.5 takes its names from RFC 5321 §4.1.2, where no dot ends them. */
function domainName(text: string): string | null {
  return text.endsWith('.') ? null : normalizeDomain(text);
}

interface Canonicalizations {
  readonly header: Canonicalization;
  readonly body: Canonicalization;
}

const simple: Canonicalizations = { header: 'simple', body: 'simple' };

/** c=: the header form, then the body form, which is simple when not given (RFC 6376 §3.5). */
function parseCanonicalization(value: string): Canonicalizations | null {
  const [header = '', body = 'simple', ...rest] = value.toLowerCase().split('/');
  return rest.length === 0 && isCanonicalization(header) && isCanonicalization(body) ? { header, body } : null;
}

/** The same, made once for each text. */
const canonicalizations = new KeptByText(parseCanonicalization, 32);

function isCanonicalization(word: string): word is Canonicalization {
  return word === 'simple' || word === 'relaxed';
}

/** h=: field names separated by colons with folding white space around them. */
function readFieldNames(value: string): readonly string[] | null {
  const list = value.toLowerCase();
  if (!fieldNameList.test(list)) return null;
  const names = list.split(':');
  return Object.freeze(foldingWhiteSpace.test(list) ? names.map(trimFws) : names);
}

/** The same, made once for each text: a sender signs the same fields of most messages. */
const fieldNameLists = new KeptByText(readFieldNames, 2_048);

const fieldNameList = /^[ \t\r\n]*[\x21-\x39\x3b-\x7e]+[ \t\r\n]*(?::[ \t\r\n]*[\x21-\x39\x3b-\x7e]+[ \t\r\n]*)*$/;

/** i=: an optional local part, `@`, a domain. The grammar is that of the text as written, before quoted-printable is decoded. */
function parseIdentity(
  value: string | undefined,
  domain: string,
): { readonly text: string; readonly domain: string } | null {
  if (value === undefined) return { text: `@${domain}`, domain };
  const text = utf8(withoutFws(value));
  if (text === null) return null;
  const at = text.lastIndexOf('@');
  const identityDomain = at === -1 ? null : domainName(text.slice(at + 1));
  if (identityDomain === null || !identityLocalPart.test(text.slice(0, at))) return null;
  return { text: `${text.slice(0, at)}@${identityDomain}`, domain: identityDomain };
}

/** A number of at most so many digits; null for anything else. */
function numberTag(tag: Tag | undefined, maxDigits: number): number | null | undefined {
  if (tag === undefined) return undefined;
  const { value } = tag;
  return value.length <= maxDigits && digits.test(value) ? Number(value) : null;
}

const digits = /^[0-9]+$/;
