import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, Resolver } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import { describe, expect, it } from 'vitest';
import { BodyDigests, beginVerification, dkimCodes, signMessage, verifyMessage } from '../src/index.ts';
import type { DkimCode } from '../src/index.ts';
import {
  bytesOf,
  codeOf,
  crafted,
  ed25519,
  ed25519Key,
  handMade,
  message,
  now,
  rsa,
  rsaKey,
  seconds,
  shortRsa,
  signed,
  verified,
  zone,
} from './ground.ts';

const keyAt = (text: string | readonly string[]) => ({ 'e._domainkey.example.com': { TXT: [text].flat() } });
const [, ed25519P = ''] = ed25519.keyRecord.split('p=');

/** A number as JSON Web Keys hold it. */
function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

/** The record of an RSA key with a modulus and exponent of the test's choice. */
function rsaRecord(modulus: bigint, exponent: bigint): string {
  const jwk = { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) };
  const der = createPublicKey({ format: 'jwk', key: jwk }).export({ type: 'spki', format: 'der' });
  return `v=DKIM1; k=rsa; p=${der.toString('base64')}`;
}

const modulusOf = (publicKey: KeyObject): bigint =>
  BigInt(`0x${Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url').toString('hex')}`);
const modulus = modulusOf(rsa.publicKey);
const byRsa = (record: string) => ({ dns: { 'r._domainkey.example.com': { TXT: [record] } } });
const rsaSigned = crafted({ a: 'rsa-sha256', s: 'r' }, { privateKey: rsa.privateKey });

describe('every code', () => {
  const inFuture = String(seconds + 301);
  const ways: Record<DkimCode, () => Promise<string>> = {
    'dkim.pass': () => codeOf(crafted()),
    'dkim.none': () => codeOf(message),
    'dkim.body-hash-mismatch': () => codeOf(`${crafted()}more\r\n`),
    'dkim.header-and-body-mismatch': () => codeOf(`${crafted().replace('Ann', 'Eve')}more\r\n`),
    'dkim.signature-mismatch': () => codeOf(crafted().replace('Ann', 'Eve')),
    'dkim.expired': () => codeOf(crafted({ x: String(seconds - 301) })),
    'dkim.timestamp-in-future': () => codeOf(crafted({ t: inFuture })),
    'dkim.body-not-covered': () => codeOf(crafted({ l: '5' })),
    'dkim.too-many-signatures': async () =>
      (await verified(`${handMade({}, '')}${handMade()}`, { limits: { maxSignatures: 1 } }))[1]!.code,
    'dkim.key-too-short': () =>
      codeOf(
        crafted({ a: 'rsa-sha256', s: 'r' }, { privateKey: shortRsa.privateKey }),
        byRsa(rsaRecord(modulusOf(shortRsa.publicKey), 65_537n)),
      ),
    'dkim.key-too-long': () => codeOf(rsaSigned, byRsa(rsaRecord((1n << 4096n) + 1n, 65_537n))),
    'dkim.key-exponent': () => codeOf(rsaSigned, byRsa(rsaRecord(modulus, 1n))),
    'dkim.dns-failure': () => codeOf(crafted(), { dns: { 'e._domainkey.example.com': 'SERVFAIL' } }),
    'dkim.no-key': () => codeOf(crafted({ s: 'other' })),
    'dkim.several-keys': () => codeOf(crafted(), { dns: keyAt([ed25519.keyRecord, rsa.keyRecord]) }),
    'dkim.too-many-records': () => codeOf(crafted(), { dns: keyAt(Array.from({ length: 11 }, () => 'x')) }),
    'dkim.key-syntax': () => codeOf(crafted(), { dns: keyAt('v=DKIM1; p=!') }),
    'dkim.key-unreadable': () => codeOf(crafted(), { dns: keyAt('v=DKIM1; k=ed25519; p=AAAA') }),
    'dkim.key-revoked': () => codeOf(crafted(), { dns: keyAt('v=DKIM1; k=ed25519; p=') }),
    'dkim.key-type-mismatch': () => codeOf(crafted({ s: 'r' })),
    'dkim.key-hash-not-allowed': () => codeOf(crafted(), { dns: keyAt(`v=DKIM1; k=ed25519; h=sha1; p=${ed25519P}`) }),
    'dkim.key-service-type': () => codeOf(crafted(), { dns: keyAt(`v=DKIM1; k=ed25519; s=web; p=${ed25519P}`) }),
    'dkim.identity-not-domain': () =>
      codeOf(crafted({ i: '@a.example.com' }), { dns: keyAt(`v=DKIM1; k=ed25519; t=s; p=${ed25519P}`) }),
    'dkim.algorithm-obsolete': () => codeOf(handMade({ a: 'rsa-sha1' })),
    'dkim.algorithm-unsupported': () => codeOf(handMade({ a: 'rsa-sha512' })),
    'dkim.body-length-exceeds': () => codeOf(crafted({ l: '1000' })),
    'dkim.signature-syntax': () => codeOf('DKIM-Signature: nonsense\r\n\r\n'),
    'dkim.signature-too-long': () => codeOf(handMade({ z: 'x'.repeat(65_536) })),
    'dkim.repeated-tag': () => codeOf(handMade({ 'z=x; v': '1' })),
    'dkim.version-unsupported': () => codeOf(handMade({ v: '2' })),
    'dkim.missing-tag': () => codeOf(handMade({ d: null })),
    'dkim.invalid-tag': () => codeOf(handMade({ d: '..' })),
    'dkim.from-not-signed': () => codeOf(handMade({ h: 'to' })),
    'dkim.identity-outside-domain': () => codeOf(handMade({ i: '@example.org' })),
    'dkim.query-method-unsupported': () => codeOf(handMade({ q: 'http' })),
    'dkim.too-many-signed-fields': () => codeOf(handMade({ h: `from${':to'.repeat(100)}` })),
  };

  it.each(Object.entries(ways))('%s is reached', async (code, run) => {
    expect(await run()).toBe(code);
  });

  it('has a way to it here', () => {
    expect(Object.keys(ways).toSorted()).toEqual(Object.keys(dkimCodes).toSorted());
  });
});

describe('explanations', () => {
  it.each([
    ['pass', crafted()],
    ['body', `${crafted()}more\r\n`],
    ['header', crafted().replace('Ann', 'Eve')],
    ['header and body', `${crafted().replace('Ann', 'Eve')}more\r\n`],
    ['expired', crafted({ x: '1' })],
    ['future', crafted({ t: '999999999999' })],
    ['l=', crafted({ l: '5' })],
    ['l= too long', crafted({ l: '1000' })],
    ['no key', crafted({ s: 'other' })],
    ['type', crafted({ s: 'r' })],
    ['obsolete', handMade({ a: 'rsa-sha1' })],
    ['unknown', handMade({ a: 'rsa-sha512' })],
    ['too long', handMade({ z: 'x'.repeat(65_536) })],
    ['missing', handMade({ d: null })],
    ['invalid', handMade({ s: '..' })],
    ['repeated', handMade({ 'z=x; v': '1' })],
    ['identity', handMade({ i: '@example.org' })],
    ['many', handMade({ h: `from${':to'.repeat(100)}` })],
  ])('name what they are about: %s', async (_what, text) => {
    for (const { explanation, advice = '' } of await verified(text)) {
      expect(`${explanation} ${advice}`).not.toMatch(/[{}?]/);
    }
  });

  it('are one line, whatever the tags hold', async () => {
    const identity = Buffer.from('a\u2028\u202e\u0085b@a.example.com').toString('latin1');
    const [result] = await verified(crafted({ i: identity }), { dns: keyAt(`v=DKIM1; k=ed25519; t=s; p=${ed25519P}`) });
    expect(result).toMatchObject({ code: 'dkim.identity-not-domain', identity: 'a\u2028\u202e\u0085b@a.example.com' });
    expect(result?.explanation).toContain('a???b@a.example.com');
  });
});

describe('RFC 6376 §3.5 l=', () => {
  it.each([
    ['0', 'dkim.body-not-covered'],
    ['1', 'dkim.body-not-covered'],
    ['12', 'dkim.body-not-covered'],
    ['13', 'dkim.body-not-covered'],
    ['14', 'dkim.pass'],
    ['15', 'dkim.body-length-exceeds'],
    ['9'.repeat(76), 'dkim.body-length-exceeds'],
  ])('l=%s of 13 octets and a line end', async (l, code) => {
    const text = message.replace('Hello, Bob.\r\n', 'Hello, Bob!!');
    expect(await codeOf(crafted({ l }, { text }))).toBe(code);
  });

  it('covers what is below it when it is zero and the body is empty', async () => {
    const text = 'From: a@example.com\r\n\r\n';
    expect(await codeOf(crafted({ l: '0' }, { text }))).toBe('dkim.pass');
    expect(await codeOf(crafted({ l: '0', c: 'relaxed/simple' }, { text }))).toBe('dkim.body-not-covered');
  });

  it('does not count for DMARC when something was added behind it', async () => {
    const [result] = await verified(`${crafted({ l: '13' })}<script>`);
    expect(result).toMatchObject({ result: 'policy', code: 'dkim.body-not-covered' });
    expect(result?.evidence).toMatchObject({ bodyLength: 13, canonicalBodyLength: 23 });
  });

  it('is no help for a body that was changed above it', async () => {
    expect(await codeOf(crafted({ l: '5' }).replace('Hello', 'HELLO'))).toBe('dkim.body-hash-mismatch');
  });

  it('may differ from signature to signature, or not', async () => {
    const lengths = ['5', '0', '13', null, '5', '1', '14', '12'];
    const text = lengths.map((l) => crafted({ l }).slice(0, -message.length)).join('') + message;
    const codes = (await codeOf(text, { limits: { maxSignatures: 100 } })).split(', ');
    expect(codes).toEqual(
      lengths.map((l) =>
        l === '13' || l === null ? 'dkim.pass' : l === '14' ? 'dkim.body-length-exceeds' : 'dkim.body-not-covered',
      ),
    );
  });

  it('takes a thousand different lengths in one pass', async () => {
    const body = 'x'.repeat(2_000);
    const text = `From: a@example.com\r\n\r\n${body}\r\n`;
    const fields = Array.from({ length: 1_000 }, (_, l) => handMade({ l: String(l) }, '')).join('');
    const results = await verified(fields + text, { limits: { maxSignatures: 1_000 } });
    expect(new Set(results.map(({ evidence }) => evidence.bodyHash?.computed)).size).toBe(1_000);
  });
});

describe('RFC 6376 §3.5 t= and x=', () => {
  it.each([
    [{ t: String(seconds + 300) }, 'dkim.pass'],
    [{ t: String(seconds + 301) }, 'dkim.timestamp-in-future'],
    [{ x: String(seconds - 300) }, 'dkim.pass'],
    [{ x: String(seconds - 301) }, 'dkim.expired'],
    [{ x: '999999999999' }, 'dkim.pass'],
    [{ t: '0', x: '1' }, 'dkim.expired'],
  ])('%j: %s', async (tags, code) => {
    expect(await codeOf(crafted(tags))).toBe(code);
  });
});

describe('RFC 6376 §3.7 what is signed', () => {
  it.each([
    ['first', { b: '', v: '1', a: 'ed25519-sha256' }],
    ['in the middle', { v: '1', b: '', t: '1' }],
    ['last', {}],
  ])('leaves the value of b= out, which stands %s', async (_where, tags) => {
    const text = crafted(tags);
    expect(await codeOf(text)).toBe('dkim.pass');
    expect(await codeOf(text.replace(' b=', ' b=\r\n\t '))).toBe('dkim.pass');
    expect(
      await codeOf(text.replace(/ b=([^;\r]*)/, (_all, value: string) => ` b= ${value.split('').join('\r\n ')} `)),
    ).toBe('dkim.pass');
  });

  it.each(['simple/simple', 'simple/relaxed', 'relaxed/simple'])('%s too', async (c) => {
    expect(await codeOf(crafted({ c, t: '1' }).replace(' b=', ' b=\r\n\t '))).toBe('dkim.pass');
  });

  it('takes the fields of a name from the bottom up, and nothing when they are used up (§5.4.2)', async () => {
    const text = 'X: 1\r\nX: 2\r\nFrom: a@example.com\r\n\r\n';
    const once = crafted({ h: 'from:x' }, { text });
    expect(await codeOf(once.replace('X: 1', 'X: 9'))).toBe('dkim.pass');
    expect(await codeOf(once.replace('X: 2', 'X: 9'))).toBe('dkim.signature-mismatch');
    const all = crafted({ h: 'x:from:x:x' }, { text });
    expect(await codeOf(all)).toBe('dkim.pass');
    expect(await codeOf(`X: 0\r\n${all}`)).toBe('dkim.signature-mismatch');
    expect(await codeOf(`X: 0\r\n${once}`)).toBe('dkim.pass');
  });

  it('never takes the signature itself for a field of h=, and other signatures it does', async () => {
    const inner = crafted();
    const outer = crafted({ h: 'from:dkim-signature:dkim-signature', s: 'e' }, { text: inner });
    expect(await codeOf(outer)).toBe('dkim.pass, dkim.pass');
    expect(await codeOf(outer.replace(inner, inner.replace('v=1; a=ed', 'v=1;  a=ed')))).toBe('dkim.pass, dkim.pass');
    expect(await codeOf(outer.replace(inner, message))).toBe('dkim.signature-mismatch');
  });

  it('ignores what h= does not name', async () => {
    expect(await codeOf(crafted().replace('Subject: Hi', 'Subject: Ho'))).toBe('dkim.pass');
  });
});

describe('RFC 6376 §3.6.2.2 the key record', () => {
  it.each([
    ['other TXT records stand beside it', ['v=spf1 -all', ed25519.keyRecord, 'some text'], 'dkim.pass'],
    ['there is none among TXT records', ['v=spf1 -all', 'some text'], 'dkim.no-key'],
    ['a broken one stands beside it', [ed25519.keyRecord, 'v=DKIM1; p=!'], 'dkim.several-keys'],
    ['there are many TXT records', Array.from({ length: 11 }, () => 'x'), 'dkim.too-many-records'],
    ['one of another kind is larger than is read', ['x'.repeat(16_385)], 'dkim.key-syntax'],
    ['it is larger than is read', [`${ed25519.keyRecord}; n=${'x'.repeat(16_384)}`], 'dkim.key-syntax'],
    ['it has odd tags', [`k=ed25519; h=*:sha1 : SHA256; s= * ; x=y; p=${ed25519P}`], 'dkim.pass'],
    ['it is for mail among others', [`k=ed25519; s=web:email; p=${ed25519P}`], 'dkim.pass'],
    ['t=s and i= is at the domain', [`k=ed25519; t=y:s; p=${ed25519P}`], 'dkim.pass'],
    ['k= says nothing and the key is not RSA', [`p=${ed25519P}`], 'dkim.key-type-mismatch'],
    ['k= is not known', [`k=dilithium; p=${ed25519P}`], 'dkim.key-type-mismatch'],
  ])('%s', async (_what, records, code) => {
    expect(await codeOf(crafted(), { dns: keyAt(records) })).toBe(code);
  });

  it.each([
    ['NXDOMAIN', 'dkim.no-key'],
    ['SERVFAIL', 'dkim.dns-failure'],
    ['TIMEOUT', 'dkim.dns-failure'],
  ] as const)('%s: %s', async (answer, code) => {
    expect(await codeOf(crafted(), { dns: { 'e._domainkey.example.com': answer } })).toBe(code);
  });
});

describe('RFC 6376 §3.6.1 t=y', () => {
  const testing = { dns: keyAt(`v=DKIM1; k=ed25519; t=y; p=${ed25519P}`) };

  it('is said of a signature that fails, which is as good as none', async () => {
    const [result] = await verified(`${crafted()}more`, testing);
    expect(result).toMatchObject({ result: 'fail', code: 'dkim.body-hash-mismatch', testing: true });
    expect(result?.explanation).toContain('is testing DKIM');
  });

  it('says so when it holds', async () => {
    expect((await verified(crafted(), testing))[0]).toMatchObject({ result: 'pass', testing: true });
  });
});

describe('RFC 8301 §3.2 RSA keys', () => {
  it.each([
    ['an even exponent', modulus, 65_536n, 'dkim.key-exponent'],
    ['an exponent of 33 bits', modulus, (1n << 32n) + 1n, 'dkim.key-exponent'],
    ['an exponent as long as the modulus', modulus, modulus - 2n, 'dkim.key-exponent'],
    ['the exponent 3', modulus, 3n, 'dkim.signature-mismatch'],
    ['an even modulus', modulus - 1n, 65_537n, 'dkim.signature-mismatch'],
    ['a modulus that is a power of two', 1n << 2047n, 65_537n, 'dkim.signature-mismatch'],
    ['1023 bits', (1n << 1022n) + 1n, 65_537n, 'dkim.key-too-short'],
    ['1024 bits', (1n << 1023n) + 1n, 65_537n, 'dkim.signature-mismatch'],
    ['4096 bits', (1n << 4095n) + 1n, 65_537n, 'dkim.signature-mismatch'],
    ['4097 bits', (1n << 4096n) + 1n, 65_537n, 'dkim.key-too-long'],
    ['16384 bits', (1n << 16_383n) + 1n, 65_537n, 'dkim.key-too-long'],
  ])('%s', async (_what, n, e, code) => {
    expect(await codeOf(rsaSigned, byRsa(rsaRecord(n, e)))).toBe(code);
  });

  it('are looked at up to 8192 bits if one so wishes, and not above', async () => {
    const limits = { maxRsaBits: 100_000 };
    expect(await codeOf(rsaSigned, { ...byRsa(rsaRecord((1n << 8191n) + 1n, 3n)), limits })).toBe(
      'dkim.signature-mismatch',
    );
    expect(await codeOf(rsaSigned, { ...byRsa(rsaRecord((1n << 8192n) + 1n, 3n)), limits })).toBe('dkim.key-too-long');
  });

  it('may be published as PKCS #1', async () => {
    const p = rsa.publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
    expect(await codeOf(rsaSigned, byRsa(`v=DKIM1; p=${p}`))).toBe('dkim.pass');
  });

  it('are neither RSASSA-PSS nor elliptic keys under that name', async () => {
    for (const { publicKey } of [
      generateKeyPairSync('rsa-pss', { modulusLength: 1024 }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      ed25519,
    ]) {
      const p = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      expect(await codeOf(rsaSigned, byRsa(`v=DKIM1; k=rsa; p=${p}`))).toBe('dkim.key-unreadable');
    }
  });

  it.each(['AAAA', 'A'.repeat(342), 'A'.repeat(344), '/'.repeat(344), 'A'.repeat(40_000)])(
    'do not fit a signature of another size or value: %#',
    async (b) => {
      const text = rsaSigned.replace(/ b=[^\r;]*/, ` b=${b}`);
      expect(await codeOf(text)).toBe('dkim.signature-mismatch');
    },
  );
});

describe('RFC 8463 Ed25519 keys', () => {
  it.each([
    ['31 octets', Buffer.alloc(31)],
    ['33 octets', Buffer.alloc(33)],
    ['a SubjectPublicKeyInfo', ed25519.publicKey.export({ type: 'spki', format: 'der' })],
  ])('are 32 octets, not %s', async (_what, key) => {
    expect(await codeOf(crafted(), { dns: keyAt(`k=ed25519; p=${key.toString('base64')}`) })).toBe(
      'dkim.key-unreadable',
    );
  });

  it.each([Buffer.alloc(32), Buffer.alloc(32, 255)])('may be no point of the curve: %#', async (key) => {
    expect(await codeOf(crafted(), { dns: keyAt(`k=ed25519; p=${key.toString('base64')}`) })).toBe(
      'dkim.signature-mismatch',
    );
  });
});

const junk = (count: number): string => handMade({ d: 'junk.example' }, '').repeat(count);

describe('many signatures', () => {
  it('are checked up to a limit, those of the author first', async () => {
    const results = await verified(junk(990) + (await signed(message)));
    expect(results).toHaveLength(991);
    expect(results.at(-1)).toMatchObject({ code: 'dkim.pass' });
    expect(results.filter(({ code }) => code === 'dkim.too-many-signatures')).toHaveLength(981);
    expect(results.slice(0, 9).every(({ code }) => code === 'dkim.no-key')).toBe(true);
  });

  it('count as those of the author when they are above or below its domain', async () => {
    const [above, below] = [crafted({ d: 'com' }), crafted({ d: 'a.example.com' })].map((text) =>
      text.slice(0, -message.length),
    );
    const codes = await codeOf(`${junk(2)}${above}${below}${message}`, { limits: { maxSignatures: 2 } });
    expect(codes).toBe('dkim.too-many-signatures, dkim.too-many-signatures, dkim.no-key, dkim.no-key');
  });

  it('ask for each key and body hash once when they share them', async () => {
    const asked: string[] = [];
    const resolver = recording(asked);
    const text = crafted().slice(0, -message.length).repeat(3) + message;
    await verified(text, { resolver });
    expect(asked).toEqual(Array.from({ length: 3 }, () => 'e._domainkey.example.com'));
  });

  it('give a result each, in their order, readable or not', async () => {
    const text = `DKIM-Signature: x\r\n${handMade({ v: '2' }, '')}${crafted()}`;
    expect(await codeOf(text)).toBe('dkim.signature-syntax, dkim.version-unsupported, dkim.pass');
    expect((await verified(text)).map(({ evidence }) => evidence.occurrence)).toEqual([1, 2, 3]);
  });
});

function recording(asked: string[]): Resolver {
  const inner = new ZoneResolver(zone);
  return {
    resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
      asked.push(name);
      return inner.resolve(name, type);
    },
  };
}

describe('a verification under way', () => {
  const { header, body } = parseMessage(bytesOf(crafted()));

  it('has asked for the keys before the body comes', () => {
    const asked: string[] = [];
    const run = beginVerification(header, { resolver: recording(asked), now });
    expect(asked).toEqual(['e._domainkey.example.com']);
    expect(run.needsBody).toBe(true);
  });

  it('needs no body when no signature does', () => {
    const noSignature = parseMessage(bytesOf(message)).header;
    const unread = parseMessage(bytesOf(handMade({ a: 'rsa-sha1' }))).header;
    for (const each of [noSignature, unread]) {
      expect(beginVerification(each, { resolver: recording([]), now }).needsBody).toBe(false);
    }
  });

  it('shares the pass over the body with others, who feed it', async () => {
    const digests = new BodyDigests();
    const options = { resolver: recording([]), now, digests };
    const runs = [beginVerification(header, options), beginVerification(header, options)];
    digests.update(body);
    for (const run of runs) run.body(body);
    for (const run of runs) expect(await run.end()).toMatchObject([{ code: 'dkim.pass' }]);
  });

  it('passes on that its resolver failed, and only to whoever asks', async () => {
    const failing: Resolver = { resolve: () => Promise.reject(new Error('lost')) };
    beginVerification(header, { resolver: failing, now });
    await expect(beginVerification(header, { resolver: failing, now }).end()).rejects.toThrow('lost');
  });

  it('gives the same when it is fed octet by octet', async () => {
    const run = beginVerification(header, { resolver: recording([]), now });
    for (const byte of body) run.body(Uint8Array.of(byte));
    expect(await run.end()).toMatchObject([{ code: 'dkim.pass' }]);
  });
});

describe('large input', () => {
  it('of tiny folds is checked in linear time: a signed field of 384 kB', async () => {
    const text = `Subject:${'\r\n a'.repeat(98_304)}\r\n${message}`;
    const raw = bytesOf(text);
    const fields = await signMessage(raw, {
      keys: [rsaKey, ed25519Key],
      now,
      fields: { oversigned: ['from', 'to'], whenPresent: ['subject'] },
      limits: { maxFieldBytes: 1e6 },
    }).catch((error: { code: string }) => error.code);
    expect(fields).toBe('message.repeated-field');
    const single = bytesOf(text.replace('Subject: Hi\r\n', ''));
    const signature = await signMessage(single, { keys: [rsaKey, ed25519Key], now, limits: { maxFieldBytes: 1e6 } });
    const results = await verifyMessage(Buffer.concat([signature, single]), { resolver: new ZoneResolver(zone), now });
    expect(results.map(({ code }) => code)).toEqual(['dkim.pass', 'dkim.pass']);
  });

  it('of 10,000 names in h= is refused for a limit', async () => {
    expect(await codeOf(handMade({ h: `from${':a'.repeat(9_999)}` }))).toBe('dkim.too-many-signed-fields');
  });

  it('of 10,000 names in h= and as many fields is checked in linear time where that is allowed', async () => {
    const fields = 'a:1\r\n'.repeat(9_999);
    const text = crafted({ h: `from${':a'.repeat(9_999)}` }, { text: fields + message });
    expect(await codeOf(text, { limits: { maxSignedFields: 10_000 } })).toBe('dkim.pass');
  });
});
