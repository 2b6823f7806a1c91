import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createBodyCanonicalizer } from '@zegel/canonicalization';
import type { Canonicalization } from '@zegel/canonicalization';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import { createSigningKey, signMessage, verifyMessage } from '../src/index.ts';
import { signedData, unsignedField } from '../src/header-data.ts';
import type { DkimResult, SigningKey, SignOptions, VerifyOptions } from '../src/index.ts';

/** The time of every test: no signature is made later. */
export const now = new Date('2026-11-24T04:00:00Z');
export const seconds = now.getTime() / 1000;

/** A key pair, and its key record written without the code under test. */
interface TestKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly keyRecord: string;
}

const spki = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' });

const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const rsa: TestKeys = {
  ...rsaPair,
  keyRecord: `v=DKIM1; k=rsa; p=${spki(rsaPair.publicKey).toString('base64')}`,
};

/** RFC 8463 §4: the record of an Ed25519 key holds its bare 32 octets, the end of the SubjectPublicKeyInfo. */
const ed25519Pair = generateKeyPairSync('ed25519');
export const ed25519: TestKeys = {
  ...ed25519Pair,
  keyRecord: `v=DKIM1; k=ed25519; p=${spki(ed25519Pair.publicKey).subarray(-32).toString('base64')}`,
};

/** Too short for any signature, and quick to make. */
export const shortRsa = generateKeyPairSync('rsa', { modulusLength: 512 });

export function key(privateKey: KeyObject, selector: string, domain = 'example.com'): SigningKey {
  return createSigningKey({ domain, selector, privateKey });
}

export const rsaKey = key(rsa.privateKey, 'r');
export const ed25519Key = key(ed25519.privateKey, 'e');

export const zone: ZoneDeclaration = {
  'r._domainkey.example.com': { TXT: [rsa.keyRecord] },
  'e._domainkey.example.com': { TXT: [ed25519.keyRecord] },
};

export const message = 'From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: Hi\r\n\r\nHello, Bob.\r\n';

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The message with signatures on top, as text with one character per byte. */
export async function signed(text: string, options: Partial<SignOptions> = {}): Promise<string> {
  const raw = bytesOf(text);
  const fields = await signMessage(raw, { keys: [ed25519Key], now, ...options });
  return Buffer.concat([fields, raw]).toString('latin1');
}

export function verified(
  text: string,
  options: Partial<VerifyOptions> & { readonly dns?: ZoneDeclaration } = {},
): Promise<readonly DkimResult[]> {
  const { dns, ...rest } = options;
  return verifyMessage(bytesOf(text), { resolver: new ZoneResolver({ ...zone, ...dns }), now, ...rest });
}

/** The code of the one result. */
export async function codeOf(text: string, options: Parameters<typeof verified>[1] = {}): Promise<string> {
  const results = await verified(text, options);
  return results.map((result) => result.code).join(', ');
}

/** A signature field of the test's own making, tag by tag: a tag set to null is left out. Its b= fits nothing. */
export function handMade(tags: Readonly<Record<string, string | null>> = {}, text = message): string {
  const all: Record<string, string | null> = {
    v: '1',
    a: 'ed25519-sha256',
    c: 'relaxed/relaxed',
    d: 'example.com',
    s: 'e',
    h: 'from',
    bh: 'AAAA',
    b: 'AAAA',
    ...tags,
  };
  const list = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
  return `DKIM-Signature: ${list.join('; ')}\r\n${text}`;
}

/** The message below a field with these tags that `privateKey` signed: what our own signer would not write. */
export function crafted(
  tags: Readonly<Record<string, string | null>> = {},
  { text = message, privateKey = ed25519.privateKey }: { readonly text?: string; readonly privateKey?: KeyObject } = {},
): string {
  const { header, body } = parseMessage(bytesOf(text));
  const [headerForm = '', bodyForm = 'simple'] = (tags['c'] ?? 'relaxed/relaxed').split('/');
  const bh = bodyHash(form(bodyForm), body, tags['l'] ?? null);
  const withHash = handMade({ bh, b: '', ...tags }, '');
  // b= stands where the test put it; the value goes in behind it.
  const place = withHash.indexOf(' b=') + 3;
  const unsigned = bytesOf(withHash.slice(0, -2));
  const names = (tags['h'] ?? 'from').toLowerCase().split(':');
  const field = unsignedField(unsigned, 'DKIM-Signature'.length);
  const data = signedData(header, names, form(headerForm), field);
  const signature =
    privateKey.asymmetricKeyType === 'rsa'
      ? sign('sha256', data, privateKey)
      : sign(null, createHash('sha256').update(data).digest(), privateKey);
  return `${withHash.slice(0, place)}${signature.toString('base64')}${withHash.slice(place)}${text}`;
}

const form = (word: string): Canonicalization => (word === 'simple' ? 'simple' : 'relaxed');

function bodyHash(canonicalization: Canonicalization, body: Uint8Array, length: string | null): string {
  const parts: Buffer[] = [];
  const canonicalizer = createBodyCanonicalizer(canonicalization, (bytes) => parts.push(Buffer.from(bytes)));
  canonicalizer.update(body);
  canonicalizer.end();
  const covered = Buffer.concat(parts).subarray(0, length === null ? undefined : Number(length));
  return createHash('sha256').update(covered).digest('base64');
}
