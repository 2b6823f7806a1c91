import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SigningKeyError,
  createSigningKey,
  formatKeyRecord,
  formatZoneRecord,
  generateKeyPair,
  isSelector,
  parseKeyRecord,
  signingAlgorithm,
} from '../src/index.ts';
import { ed25519, rsa, shortRsa } from './ground.ts';

describe('RFC 6376 §3.6.1 key records', () => {
  it('need nothing but p=', () => {
    expect(parseKeyRecord('p=AAEC')).toEqual({
      ok: true,
      record: {
        keyType: 'rsa',
        publicKey: Buffer.of(0, 1, 2),
        serviceTypes: ['*'],
        testing: false,
        strictIdentity: false,
      },
    });
  });

  it.each([
    ['v=DKIM1; p=AAEC', {}],
    ['v=DKIM1;k=Ed25519;p=AAEC;', { keyType: 'ed25519' }],
    ['k=unknown; p=AAEC', { keyType: 'unknown' }],
    ['v=DKIM1; p=', { publicKey: Buffer.alloc(0) }],
    ['v=DKIM1; p= AA EC ', { publicKey: Buffer.of(0, 1, 2) }],
    ['v=DKIM1; h= SHA1 : sha256 ; p=AAEC', { hashAlgorithms: ['sha1', 'sha256'] }],
    ['v=DKIM1; s=email : other; p=AAEC', { serviceTypes: ['email', 'other'] }],
    ['v=DKIM1; t= y : s ; p=AAEC', { testing: true, strictIdentity: true }],
    ['v=DKIM1; h=sha 256; p=AAEC', { hashAlgorithms: ['sha 256'] }],
    ['v=DKIM1; s=e mail; p=AAEC', { serviceTypes: ['e mail'] }],
    ['v=DKIM1; t=y s; p=AAEC', { testing: false, strictIdentity: false }],
    ['v=DKIM1; t=unknown; p=AAEC', { testing: false, strictIdentity: false }],
    ['v=DKIM1; g=*; n=a note; x=unknown; p=AAEC', {}],
  ])('%j is read', (text, expected) => {
    const parsed = parseKeyRecord(text);
    expect(parsed).toMatchObject({ ok: true, record: expected });
  });

  it.each([
    ['v=DKIM1', 'syntax'],
    ['v=DKIM1; p', 'syntax'],
    ['v=DKIM1; p=!', 'syntax'],
    ['p=AAEC; v=DKIM1', 'syntax'],
    ['v=DKIM1; p=AA; p=AA', 'syntax'],
    ['v=DKIM1 p=AAEC', 'not-dkim'],
    ['v=DKIM2; p=AAEC', 'not-dkim'],
    ['v=dkim1; p=AAEC', 'not-dkim'],
    ['v=spf1 -all', 'not-dkim'],
    ['v=DMARC1; p=none', 'not-dkim'],
    ['some text', 'not-dkim'],
    ['', 'not-dkim'],
    ['k=rsa', 'not-dkim'],
    ['"v=DKIM1; p=AAEC"', 'syntax'],
  ])('%j is not: %s', (text, reason) => {
    expect(parseKeyRecord(text)).toMatchObject({ ok: false, reason });
  });

  it('are written so that they are read again', () => {
    for (const { publicKey, keyRecord } of [rsa, ed25519]) {
      expect(formatKeyRecord(publicKey)).toBe(keyRecord);
      expect(parseKeyRecord(formatKeyRecord(publicKey, { testing: true, strictIdentity: true }))).toMatchObject({
        record: { testing: true, strictIdentity: true },
      });
    }
  });

  it('are read with every tag that is written, in any order', () => {
    const words = fc.uniqueArray(fc.constantFrom('sha1', 'sha256', 'other', '*', 'email', 'y', 's'), { minLength: 1 });
    const written = fc.record(
      { k: fc.constantFrom('rsa', 'ed25519', 'other'), h: words, s: words, t: words, n: fc.constant(['a note']) },
      { requiredKeys: [] },
    );
    const octets = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(written, octets, fc.boolean(), fc.infiniteStream(fc.nat()), (tags, p, hasVersion, order) => {
        const list = Object.entries({ ...tags, p: p.toString('base64') })
          .map(([name, value]) => `${name}=${[value].flat().join(' : ')}`)
          .map((tag) => ({ tag, place: order.next().value ?? 0 }))
          .toSorted((one, other) => one.place - other.place)
          .map(({ tag }) => tag);
        expect(parseKeyRecord([...(hasVersion ? ['v=DKIM1'] : []), ...list].join('; '))).toEqual({
          ok: true,
          record: {
            keyType: tags.k ?? 'rsa',
            publicKey: p,
            ...(tags.h && { hashAlgorithms: tags.h }),
            serviceTypes: tags.s ?? ['*'],
            testing: tags.t?.includes('y') ?? false,
            strictIdentity: tags.t?.includes('s') ?? false,
          },
        });
      }),
    );
  });

  it('hold RSA and Ed25519 keys alone', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => formatKeyRecord(publicKey)).toThrow(TypeError);
  });
});

describe('RFC 1035 §3.3 character-strings', () => {
  it('hold at most 255 octets, and their quotes are escaped', () => {
    const line = formatZoneRecord('s._domainkey.example.com', `${'a'.repeat(255)}b"\\`);
    expect(line).toBe(`s._domainkey.example.com. IN TXT "${'a'.repeat(255)}" "b\\"\\\\"`);
  });
});

describe('RFC 6376 §3.1 selectors', () => {
  it.each(['a', 's1', '2026-11', 'a.b', 'A', 'a'.repeat(63)])('%s is one', (text) => {
    expect(isSelector(text)).toBe(true);
  });

  it.each(['', '.', 'a.', '-a', 'a-', 'a_b', 'a b', 'é', 'a;b', 'a\r\nb', 'a'.repeat(64)])('%j is none', (text) => {
    expect(isSelector(text)).toBe(false);
  });
});

/** The code of the error that making a key throws. */
const code = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (error instanceof SigningKeyError) return error.code;
  }
  return 'none';
};

describe('signing keys', () => {
  const { privateKey } = ed25519;

  it('are refused for names that no signature can carry', () => {
    expect(code(() => createSigningKey({ domain: 'a b', selector: 's', privateKey }))).toBe('dkim.key-name-invalid');
    expect(code(() => createSigningKey({ domain: 'example.com', selector: 's;x=1', privateKey }))).toBe(
      'dkim.key-name-invalid',
    );
  });

  it('are RSA keys of 1024 to 4096 bits and Ed25519 keys (RFC 8301 §3.2, RFC 8463)', () => {
    expect(code(() => signingAlgorithm(shortRsa.privateKey))).toBe('dkim.key-too-short');
    const longRsa = generateKeyPairSync('rsa', { modulusLength: 4_104 });
    expect(code(() => signingAlgorithm(longRsa.privateKey))).toBe('dkim.key-too-long');
    expect(code(() => signingAlgorithm(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))).toBe(
      'dkim.key-type-unsupported',
    );
    expect(code(() => signingAlgorithm(generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey))).toBe(
      'dkim.key-type-unsupported',
    );
    expect(code(() => signingAlgorithm(rsa.publicKey))).toBe('dkim.key-unreadable');
  });

  it('are made on demand', async () => {
    const made = await generateKeyPair('rsa-sha256', { modulusLength: 1024 });
    expect(made.privateKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 1024, publicExponent: 65_537n });
    expect(signingAlgorithm((await generateKeyPair('ed25519-sha256')).privateKey)).toBe('ed25519-sha256');
  });

  it('take a domain in any spelling', () => {
    expect(createSigningKey({ domain: 'Bücher.Example.', selector: 's', privateKey }).domain).toBe(
      'xn--bcher-kva.example',
    );
  });
});
