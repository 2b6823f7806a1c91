import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIpv6, isIpv4, isSubdomainOf, normalizeName, parentName, splitLabels } from '../src/index.ts';

describe('RFC 1035 §2.3.4 names that can be asked', () => {
  it('are lower case without the final dot', () => {
    expect(normalizeName('MAIL.Example.COM.')).toBe('mail.example.com');
    expect(normalizeName('S1._domainkey.example.com')).toBe('s1._domainkey.example.com');
    expect(normalizeName('localhost')).toBe('localhost');
  });

  it('hold labels of 63 octets and no more', () => {
    expect(normalizeName(`${'a'.repeat(63)}.example`)).toBe(`${'a'.repeat(63)}.example`);
    expect(normalizeName(`${'a'.repeat(64)}.example`)).toBeNull();
  });

  it('hold 253 octets and no more', () => {
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    expect(name).toHaveLength(253);
    expect(normalizeName(name)).toBe(name);
    expect(normalizeName(`${name}.`)).toBe(name);
    expect(normalizeName(`${name}d`)).toBeNull();
  });

  it.each(['', '.', '..', 'a..b', '.a', 'a..', '\u00ad.example', 'é..example'])('have no empty label: %j', (name) => {
    expect(normalizeName(name)).toBeNull();
  });

  it('keep the octets an SPF macro may bring in, but no control characters', () => {
    expect(normalizeName('Foo:Bar/baz.example.com')).toBe('foo:bar/baz.example.com');
    expect(normalizeName('macro%percent  space%20url-space.example.com')).toBe(
      'macro%percent  space%20url-space.example.com',
    );
    for (const control of ['\0', '\t', '\r', '\n', '\x1b', '\x7f'])
      expect(normalizeName(`a${control}.example`)).toBeNull();
  });
});

describe('RFC 5890 §2.3.2.1 U-labels', () => {
  it('become A-labels', () => {
    expect(normalizeName('MÜNCHEN.example')).toBe('xn--mnchen-3ya.example');
    expect(normalizeName('s1._domainkey.bücher.example.')).toBe('s1._domainkey.xn--bcher-kva.example');
    expect(normalizeName('faß.example')).toBe('xn--fa-hia.example');
  });

  it('are not taken for addresses, hosts with ports or paths', () => {
    expect(normalizeName('１.２')).toBe('1.2');
    for (const name of ['é:80', 'é/x', 'é x.example', 'é?x', 'é@x', 'é\tx', 'é%41'])
      expect(normalizeName(name)).toBeNull();
  });

  it('do not keep other labels from being what IDNA forbids', () => {
    expect(normalizeName('a b.münchen.example')).toBe('a b.xn--mnchen-3ya.example');
  });

  it('agree with the host parser of URLs on ordinary names', () => {
    const label = fc.stringMatching(/^[a-zäöüßéñ]([a-z0-9äöüßéñ]{0,10}[a-z])?$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
        expect(normalizeName(labels.join('.'))).toBe(domainToASCII(labels.join('.')));
      }),
    );
  });
});

describe('normalizeName', () => {
  it('is idempotent, and what it lets through keeps the limits, for any text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(text, (name) => {
        const normalized = normalizeName(name);
        if (normalized === null) return;
        expect(normalizeName(normalized)).toBe(normalized);
        expect(normalized).toMatch(/^[ -~]{1,253}$/);
        const lengths = splitLabels(normalized).map((label) => label.length);
        expect(Math.min(...lengths)).toBeGreaterThan(0);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(63);
      }),
      { numRuns: 300 },
    );
  });
});

describe('names below names', () => {
  it('are told label by label', () => {
    expect(isSubdomainOf('mail.example.com', 'example.com')).toBe(true);
    expect(isSubdomainOf('example.com', 'example.com')).toBe(true);
    expect(isSubdomainOf('notexample.com', 'example.com')).toBe(false);
    expect(isSubdomainOf('com', 'example.com')).toBe(false);
  });

  it('lose one label on the way up', () => {
    expect(parentName('a.b.example')).toBe('b.example');
    expect(parentName('example')).toBeNull();
  });
});

describe('RFC 5952 §4 addresses as text', () => {
  it.each([
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['a:0:0:b:0:0:0:c', 'a:0:0:b::c'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIpv6(text)).toBe(canonical);
  });

  it.each(['', ':', '1.2.3.4', 'fe80::1%eth0', '1::2::3', '::1]/x[', 'g::', '1:2:3:4:5:6:7:8:9'])(
    '%j is none',
    (text) => {
      expect(canonicalIpv6(text)).toBeNull();
    },
  );

  it('knows a dotted quad', () => {
    for (const text of ['0.0.0.0', '255.255.255.255', '192.0.2.1']) expect(isIpv4(text)).toBe(true);
    for (const text of ['256.0.0.1', '1.2.3', '1.2.3.4.', '01.2.3.4', '1.2.3.4.5', '1..2.3', ' 1.2.3.4', '1.2.3.4\n'])
      expect(isIpv4(text)).toBe(false);
  });
});
