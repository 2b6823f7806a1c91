import type { Canonicalization } from '@zegel/canonicalization';
import { isSubdomainOf } from '@zegel/dns';
import { normalizeDomain } from '@zegel/message';
import type { DkimLimits } from './limits.ts';
import { decodeBase64, parseTagList, utf8, withoutFws } from './tag-list.ts';
import type { Tag } from './tag-list.ts';

/** What a DKIM-Signature field says (RFC 6376 §3.5), before any of it is believed. */
export interface Signature {
  /** a=, lower case, as written otherwise. */
  readonly algorithm: string;
  /** b= without white space. */
  readonly value: string;
  readonly signatureBytes: Buffer;
  readonly bodyHash: Buffer;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** d= as an A-label name. */
  readonly domain: string;
  /** s= as an A-label name. */
  readonly selector: string;
  /** i=, or `@` and the signing domain. */
  readonly identity: string;
  /** The domain of i=. */
  readonly identityDomain: string;
  /** h=, lower case, in order, with repetitions. */
  readonly signedFields: readonly string[];
  /** l=, in octets. */
  readonly bodyLength?: number;
  /** t=, seconds since 1970. */
  readonly timestamp?: number;
  /** x=, seconds since 1970. */
  readonly expiration?: number;
  /** Where the raw b= value stands in the text that was parsed. */
  readonly valueStart: number;
  readonly valueEnd: number;
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
  const domain = domainTag(tags.get('d'));
  const selector = domainTag(tags.get('s'));
  const partial = {
    ...(domain === null ? {} : { domain }),
    ...(selector === null ? {} : { selector }),
    ...(tags.has('b') ? { value: withoutFws(tags.get('b')?.value ?? '') } : {}),
  };
  const problem = (code: SignatureProblem, tag?: string): ParsedSignature => ({
    ok: false,
    code,
    ...(tag === undefined ? {} : { tag }),
    partial,
  });

  for (const name of ['v', 'a', 'b', 'bh', 'd', 'h', 's'])
    if (!tags.has(name)) return problem('dkim.missing-tag', name);
  if (tags.get('v')?.value !== '1') return problem('dkim.version-unsupported', 'v');
  if (domain === null) return problem('dkim.invalid-tag', 'd');
  if (selector === null) return problem('dkim.invalid-tag', 's');

  const algorithm = (tags.get('a')?.value ?? '').toLowerCase();
  if (!/^[a-z0-9]+-[a-z0-9]+$/.test(algorithm)) return problem('dkim.invalid-tag', 'a');
  const b = tags.get('b');
  const signatureBytes = b === undefined ? null : decodeBase64(b.value);
  if (b === undefined || signatureBytes === null) return problem('dkim.invalid-tag', 'b');
  const bodyHash = decodeBase64(tags.get('bh')?.value ?? '');
  if (bodyHash === null) return problem('dkim.invalid-tag', 'bh');

  const canonicalization = parseCanonicalization(tags.get('c')?.value);
  if (canonicalization === null) return problem('dkim.invalid-tag', 'c');

  const signedFields = fieldNames(tags.get('h')?.value ?? '');
  if (signedFields === null) return problem('dkim.invalid-tag', 'h');
  if (signedFields.length > limits.maxSignedFields) return problem('dkim.too-many-signed-fields', 'h');
  if (!signedFields.includes('from')) return problem('dkim.from-not-signed', 'h');

  const query = tags.get('q');
  if (query !== undefined && !withoutFws(query.value).toLowerCase().split(':').includes('dns/txt')) {
    return problem('dkim.query-method-unsupported', 'q');
  }

  const identity = parseIdentity(tags.get('i')?.value, domain);
  if (identity === null) return problem('dkim.invalid-tag', 'i');
  if (!isSubdomainOf(identity.domain, domain)) return problem('dkim.identity-outside-domain', 'i');

  const bodyLength = numberTag(tags.get('l'), /^\d{1,76}$/);
  const timestamp = numberTag(tags.get('t'), /^\d{1,12}$/);
  const expiration = numberTag(tags.get('x'), /^\d{1,12}$/);
  if (bodyLength === null) return problem('dkim.invalid-tag', 'l');
  if (timestamp === null) return problem('dkim.invalid-tag', 't');
  // RFC 6376 §3.5: x= MUST be greater than t=.
  if (expiration === null || (expiration !== undefined && timestamp !== undefined && expiration <= timestamp)) {
    return problem('dkim.invalid-tag', 'x');
  }

  return {
    ok: true,
    signature: {
      algorithm,
      value: withoutFws(b.value),
      signatureBytes,
      bodyHash,
      headerCanonicalization: canonicalization.header,
      bodyCanonicalization: canonicalization.body,
      domain,
      selector,
      identity: identity.text,
      identityDomain: identity.domain,
      signedFields,
      ...(bodyLength === undefined ? {} : { bodyLength }),
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(expiration === undefined ? {} : { expiration }),
      valueStart: b.start,
      valueEnd: b.end,
    },
  };
}

/** d= and s=: a domain name, U-labels allowed (RFC 8616 §4). */
function domainTag(tag: Tag | undefined): string | null {
  const text = tag === undefined ? null : utf8(tag.value);
  return text === null || text.endsWith('.') ? null : normalizeDomain(text);
}

/** c=: the header form, then the body form, each simple when not given (RFC 6376 §3.5). */
function parseCanonicalization(
  value: string | undefined,
): { readonly header: Canonicalization; readonly body: Canonicalization } | null {
  if (value === undefined) return { header: 'simple', body: 'simple' };
  const [header = '', body = 'simple', ...rest] = value.toLowerCase().split('/');
  return rest.length === 0 && isCanonicalization(header) && isCanonicalization(body) ? { header, body } : null;
}

function isCanonicalization(word: string): word is Canonicalization {
  return word === 'simple' || word === 'relaxed';
}

/** h=: field names separated by colons with folding white space around them. */
function fieldNames(value: string): readonly string[] | null {
  const names = withoutFws(value.replaceAll(/[ \t\r\n]*:[ \t\r\n]*/g, ':'))
    .toLowerCase()
    .split(':');
  return names.every((name) => /^[\x21-\x39\x3b-\x7e]+$/.test(name)) ? names : null;
}

/** i=: an optional local part in DKIM quoted-printable, `@`, a domain. */
function parseIdentity(
  value: string | undefined,
  domain: string,
): { readonly text: string; readonly domain: string } | null {
  if (value === undefined) return { text: `@${domain}`, domain };
  const text = utf8(withoutFws(value));
  if (text === null) return null;
  const at = text.lastIndexOf('@');
  const identityDomain = at === -1 ? null : normalizeDomain(text.slice(at + 1));
  return identityDomain === null ? null : { text: `${text.slice(0, at)}@${identityDomain}`, domain: identityDomain };
}

function numberTag(tag: Tag | undefined, form: RegExp): number | null | undefined {
  if (tag === undefined) return undefined;
  return form.test(tag.value) ? Number(tag.value) : null;
}
