import type { KeyObject } from 'node:crypto';
import { RecordCache } from '@zegel/dns';
import { base64Text, parseTagList, trimFws } from './tag-list.ts';

/** A key record (RFC 6376 §3.6.1, RFC 8463 §4). */
export interface KeyRecord {
  /** k=: `rsa` when not given. Other words than `rsa` and `ed25519` are kept: they fit no signature. */
  readonly keyType: string;
  /** p=: the public key as published; empty when the key is revoked. */
  readonly publicKey: Buffer;
  /** h=: the hash algorithms allowed; absent means all. */
  readonly hashAlgorithms?: readonly string[];
  /** s=: the services the key is for; `*` is all. */
  readonly serviceTypes: readonly string[];
  /** t=y: the domain is testing DKIM. */
  readonly testing: boolean;
  /** t=s: the domain of i= must be d= itself. */
  readonly strictIdentity: boolean;
}

export type ParsedKeyRecord =
  | { readonly ok: true; readonly record: KeyRecord }
  /** `not-dkim`: another kind of TXT record (its v= says so, or it is no tag list). `syntax`: a broken key record. */
  | { readonly ok: false; readonly reason: 'not-dkim' | 'syntax'; readonly tag?: string };

/** Reads the text of a TXT record, one character per byte. */
export function parseKeyRecord(text: string): ParsedKeyRecord {
  const list = parseTagList(text);
  if (!list.ok) {
    const reason = /(^|;)[ \t]*(v[ \t]*=[ \t]*DKIM1|p[ \t]*=)/.test(text) ? 'syntax' : 'not-dkim';
    return { ok: false, reason, ...(list.tag === undefined ? {} : { tag: list.tag }) };
  }
  const { tags } = list;
  const version = tags.get('v');
  if (version !== undefined && version.value !== 'DKIM1') return { ok: false, reason: 'not-dkim', tag: 'v' };
  // RFC 6376 §3.6.1: v= MUST be the first tag when it is there.
  const [first] = tags;
  if (version !== undefined && first?.[0] !== 'v') return { ok: false, reason: 'syntax', tag: 'v' };
  const p = tags.get('p');
  if (p === undefined) return { ok: false, reason: version === undefined ? 'not-dkim' : 'syntax', tag: 'p' };
  const publicKey = p.value === '' ? '' : base64Text(p.value);
  if (publicKey === null) return { ok: false, reason: 'syntax', tag: 'p' };
  const hashes = tags.get('h');
  const flags = words(tags.get('t')?.value ?? '');
  return {
    ok: true,
    record: {
      keyType: (tags.get('k')?.value ?? 'rsa').toLowerCase(),
      publicKey: Buffer.from(publicKey, 'base64'),
      ...(hashes === undefined ? {} : { hashAlgorithms: words(hashes.value) }),
      serviceTypes: words(tags.get('s')?.value ?? '*'),
      testing: flags.includes('y'),
      strictIdentity: flags.includes('s'),
    },
  };
}

/** TXT records at the names of keys: their text and what it says. A key of 8192 bits makes a text of 1,400 characters. */
export const keyRecords = new RecordCache((text) => ({ text, parsed: parseKeyRecord(text) }));

/** Words with colons between them, and folding white space around these. */
function words(value: string): readonly string[] {
  return value
    .toLowerCase()
    .split(':')
    .map((word) => trimFws(word));
}

export interface KeyRecordOptions {
  /** Adds t=y: receivers are asked to treat failing signatures as if there were none. */
  readonly testing?: boolean;
  /** Adds t=s: i= must not be a subdomain of d=. */
  readonly strictIdentity?: boolean;
}

/**
 * The text to publish for a public key: `v=DKIM1; k=…; p=…`. RSA keys are published as SubjectPublicKeyInfo, Ed25519 keys
 * as their raw 32 octets (RFC 8463 §4). Throws a `TypeError` for any other kind of key.
 */
export function formatKeyRecord(publicKey: KeyObject, options: KeyRecordOptions = {}): string {
  const flags = [options.testing === true ? 'y' : '', options.strictIdentity === true ? 's' : ''].filter(Boolean);
  const flagTag = flags.length > 0 ? ` t=${flags.join(':')};` : '';
  if (publicKey.asymmetricKeyType === 'rsa') {
    return `v=DKIM1; k=rsa;${flagTag} p=${publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}`;
  }
  const { x } = publicKey.export({ format: 'jwk' });
  if (publicKey.asymmetricKeyType !== 'ed25519' || x === undefined) {
    throw new TypeError('A DKIM key record holds an RSA or an Ed25519 public key');
  }
  return `v=DKIM1; k=ed25519;${flagTag} p=${Buffer.from(x, 'base64url').toString('base64')}`;
}

/** The name a key record is published at (RFC 6376 §3.6.2.1). */
export function keyRecordName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`;
}

/**
 * One line of a zone file: the text split into character-strings of at most 255 octets (RFC 1035 §3.3, RFC 6376 §3.6.2.2).
 */
export function formatZoneRecord(name: string, text: string): string {
  const strings = text.match(/.{1,255}/g) ?? [''];
  return `${name}. IN TXT ${strings.map((string) => `"${string.replaceAll(/["\\]/g, '\\$&')}"`).join(' ')}`;
}

/** Whether text can be a selector: one or more labels of letters, digits and hyphens (RFC 6376 §3.1). */
export function isSelector(text: string): boolean {
  return text.split('.').every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}
