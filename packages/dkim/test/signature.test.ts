import { describe, expect, it } from 'vitest';
import { parseSignature } from '../src/signature.ts';
import type { Signature } from '../src/signature.ts';
import { dkimLimits } from '../src/index.ts';
import { codeOf, handMade } from './ground.ts';

/** The signature that these tags make, or the code that says why there is none. */
function read(tags: Readonly<Record<string, string | null>>): Signature | string {
  const field = handMade(tags, '').slice('DKIM-Signature:'.length, -2);
  const parsed = parseSignature(field, dkimLimits);
  return parsed.ok ? parsed.signature : `${parsed.code} ${parsed.tag ?? ''}`.trimEnd();
}

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

describe('RFC 6376 §3.5 tags of a DKIM-Signature', () => {
  it('have defaults', () => {
    expect(read({ c: null })).toMatchObject({
      headerCanonicalization: 'simple',
      bodyCanonicalization: 'simple',
      identity: '@example.com',
      identityDomain: 'example.com',
    });
    expect(read({ c: null })).not.toHaveProperty('bodyLength');
  });

  it.each(['v', 'a', 'b', 'bh', 'd', 'h', 's'])('%s= must be there', (name) => {
    expect(read({ [name]: null })).toBe(`dkim.missing-tag ${name}`);
  });

  it.each([
    [{ a: 'RSA-SHA256' }, { algorithm: 'rsa-sha256' }],
    [{ c: 'relaxed' }, { headerCanonicalization: 'relaxed', bodyCanonicalization: 'simple' }],
    [{ c: 'simple/relaxed' }, { headerCanonicalization: 'simple', bodyCanonicalization: 'relaxed' }],
    [{ d: 'EXAMPLE.com', i: null }, { domain: 'example.com' }],
    [{ s: 'a.b_c-d' }, { selector: 'a.b_c-d' }],
    [{ h: ' From :\r\n\tTo:to ' }, { signedFields: ['from', 'to', 'to'] }],
    [{ b: 'A A\r\n AA' }, { value: 'AAAA' }],
    [{ q: 'dns/txt' }, {}],
    [{ q: 'http/x : DNS/TXT' }, {}],
    [{ l: '0' }, { bodyLength: 0 }],
    [{ l: '9'.repeat(76) }, { bodyLength: 1e76 }],
    [
      { t: '1', x: '2' },
      { timestamp: 1, expiration: 2 },
    ],
    [{ x: '1' }, { expiration: 1 }],
    [{ i: '@example.com' }, { identity: '@example.com' }],
    [{ i: 'joe=20doe@EXAMPLE.com' }, { identity: 'joe=20doe@example.com' }],
    [{ i: 'a@b.example.com' }, { identityDomain: 'b.example.com' }],
    [{ i: '"a@b"@example.com' }, { identityDomain: 'example.com' }],
    [{ z: 'From:a|To:b', unknown: 'x' }, {}],
  ])('%j is read', (tags, expected) => {
    expect(read(tags)).toMatchObject(expected);
  });

  it.each([
    [{ v: '2' }, 'dkim.version-unsupported v'],
    [{ v: '1.0' }, 'dkim.version-unsupported v'],
    [{ a: 'rsa' }, 'dkim.invalid-tag a'],
    [{ a: '' }, 'dkim.invalid-tag a'],
    [{ b: '' }, 'dkim.invalid-tag b'],
    [{ b: '!' }, 'dkim.invalid-tag b'],
    [{ bh: '' }, 'dkim.invalid-tag bh'],
    [{ c: 'nofws' }, 'dkim.invalid-tag c'],
    [{ c: 'simple/' }, 'dkim.invalid-tag c'],
    [{ c: 'simple/simple/simple' }, 'dkim.invalid-tag c'],
    [{ d: '' }, 'dkim.invalid-tag d'],
    [{ d: 'example.com.' }, 'dkim.invalid-tag d'],
    [{ d: '.example.com' }, 'dkim.invalid-tag d'],
    [{ d: "legitimate.test'a.attack.test" }, 'dkim.invalid-tag d'],
    [{ d: 'legitimate.test(.attack.test' }, 'dkim.invalid-tag d'],
    [{ d: 'a b.com' }, 'dkim.invalid-tag d'],
    [{ s: '' }, 'dkim.invalid-tag s'],
    [{ s: 'a..b' }, 'dkim.invalid-tag s'],
    [{ s: 'x"y' }, 'dkim.invalid-tag s'],
    [{ s: 'a'.repeat(64) }, 'dkim.invalid-tag s'],
    [{ h: '' }, 'dkim.invalid-tag h'],
    [{ h: 'from:' }, 'dkim.invalid-tag h'],
    [{ h: 'fr om' }, 'dkim.invalid-tag h'],
    [{ h: 'from:fr\r\n om' }, 'dkim.invalid-tag h'],
    [{ h: 'to:subject' }, 'dkim.from-not-signed h'],
    [{ h: `from${':to'.repeat(100)}` }, 'dkim.too-many-signed-fields h'],
    [{ i: 'example.com' }, 'dkim.invalid-tag i'],
    [{ i: '@' }, 'dkim.invalid-tag i'],
    [{ i: '@example.com.' }, 'dkim.invalid-tag i'],
    [{ i: 'a@b@example.com' }, 'dkim.invalid-tag i'],
    [{ i: 'a..b@example.com' }, 'dkim.invalid-tag i'],
    [{ i: 'a"b@example.com' }, 'dkim.invalid-tag i'],
    [{ i: '(a)@example.com' }, 'dkim.invalid-tag i'],
    [{ i: '@example.org' }, 'dkim.identity-outside-domain i'],
    [{ i: '@fexample.com' }, 'dkim.identity-outside-domain i'],
    [{ i: '@com' }, 'dkim.identity-outside-domain i'],
    [{ l: '-1' }, 'dkim.invalid-tag l'],
    [{ l: '' }, 'dkim.invalid-tag l'],
    [{ l: '1.5' }, 'dkim.invalid-tag l'],
    [{ l: '9'.repeat(77) }, 'dkim.invalid-tag l'],
    [{ q: 'http' }, 'dkim.query-method-unsupported q'],
    [{ q: 'dns / txt' }, 'dkim.query-method-unsupported q'],
    [{ t: 'now' }, 'dkim.invalid-tag t'],
    [{ t: '1'.repeat(13) }, 'dkim.invalid-tag t'],
    [{ x: '0x1' }, 'dkim.invalid-tag x'],
    [{ t: '2', x: '2' }, 'dkim.invalid-tag x'],
    [{ t: '2', x: '1' }, 'dkim.invalid-tag x'],
  ])('%j: %s', (tags, expected) => {
    expect(read(tags)).toBe(expected);
  });

  it('keeps b= of a field that cannot be read only if it is base64: it is written into Authentication-Results', () => {
    const parsed = parseSignature('v=1; b=dmarc=pass', dkimLimits);
    expect(parsed).toMatchObject({ ok: false, partial: {} });
    expect(parsed).not.toHaveProperty('partial.value');
    expect(parseSignature('v=1; b=A A', dkimLimits)).toMatchObject({ ok: false, partial: { value: 'AA' } });
  });
});

describe('RFC 8616 internationalized names', () => {
  it.each([
    [{ d: utf8('bücher.example') }, { domain: 'xn--bcher-kva.example', identity: '@xn--bcher-kva.example' }],
    [{ d: 'xn--bcher-kva.example', i: utf8('a@Bücher.example') }, { identityDomain: 'xn--bcher-kva.example' }],
    [{ s: utf8('schlüssel') }, { selector: 'xn--schlssel-95a' }],
    [{ i: utf8('jörg@example.com') }, { identity: 'jörg@example.com' }],
  ])('%j are compared as A-labels', (tags, expected) => {
    expect(read(tags)).toMatchObject(expected);
  });

  it.each([
    [{ d: 'b\xfccher.example' }, 'dkim.invalid-tag d'],
    [{ d: utf8('a\u202eb.example') }, 'dkim.invalid-tag d'],
    [{ i: '\xff@example.com' }, 'dkim.invalid-tag i'],
  ])('%j: %s', (tags, expected) => {
    expect(read(tags)).toBe(expected);
  });
});

describe('a hostile signature field', () => {
  it('is read in linear time: 60 kB of blanks, colons or names in h=', async () => {
    const long = 60_000;
    for (const h of [
      ' '.repeat(long),
      ':'.repeat(long),
      'a:'.repeat(long / 2),
      ' :'.repeat(long / 2),
      '\r\n '.repeat(long / 3),
    ]) {
      // Each of them many times over, as a message may hold them.
      for (let turn = 0; turn < 50; turn++) {
        expect(['dkim.invalid-tag', 'dkim.too-many-signed-fields']).toContain(
          await codeOf(handMade({ h: `from${h}x` })),
        );
      }
    }
  });
});
