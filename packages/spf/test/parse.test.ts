import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSpfRecord, parseRecord } from '../src/index.ts';
import type { SpfRecord } from '../src/index.ts';

function read(text: string): SpfRecord {
  const parsed = parseRecord(text);
  if (!parsed.ok) throw new Error(parsed.error.fault);
  return parsed.record;
}

describe('RFC 7208 §4.5 selecting records', () => {
  for (const [text, selected] of [
    ['v=spf1', true],
    ['v=spf1 -all', true],
    ['V=SPF1 -all', true],
    ['v=spf10 -all', false],
    ['v=spf1-all', false],
    ['v=spf1\t-all', false],
    [' v=spf1 -all', false],
    ['v=spf', false],
    ['', false],
  ] as const) {
    it(`${JSON.stringify(text)} is ${selected ? 'one' : 'none'}`, () => {
      expect(isSpfRecord(Buffer.from(text))).toBe(selected);
    });
  }
});

describe('RFC 7208 §4.6 record syntax', () => {
  it('reads mechanisms with qualifier, domain and prefix lengths', () => {
    expect(read('v=spf1 a MX:example.org/24//64 ?ptr -ip4:192.0.2.0/24 ~ip6:2001:db8::/32 all').directives).toEqual([
      { text: 'a', qualifier: '+', mechanism: { name: 'a', domain: undefined, prefix4: 32, prefix6: 128 } },
      {
        text: 'MX:example.org/24//64',
        qualifier: '+',
        mechanism: { name: 'mx', domain: ['example.org'], prefix4: 24, prefix6: 64 },
      },
      { text: '?ptr', qualifier: '?', mechanism: { name: 'ptr', domain: undefined } },
      {
        text: '-ip4:192.0.2.0/24',
        qualifier: '-',
        mechanism: {
          name: 'ip4',
          network: { address: { version: 4, octets: [192, 0, 2, 0] }, prefixLength: 24 },
        },
      },
      {
        text: '~ip6:2001:db8::/32',
        qualifier: '~',
        mechanism: {
          name: 'ip6',
          network: {
            address: { version: 6, octets: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
            prefixLength: 32,
          },
        },
      },
      { text: 'all', qualifier: '+', mechanism: { name: 'all' } },
    ]);
  });

  it('keeps modifiers apart, known and unknown, wherever they stand', () => {
    const record = read('v=spf1 exp=why.%{d} Redirect=_spf.example.com ra=postmaster rp=100 a');
    expect(record.explanation?.text).toBe('exp=why.%{d}');
    expect(record.redirect).toEqual({ text: 'Redirect=_spf.example.com', domain: ['_spf.example.com'] });
    expect(record.unknownModifiers).toEqual(['ra=postmaster', 'rp=100']);
    expect(record.directives).toHaveLength(1);
  });

  it('takes prototype names for what they are', () => {
    expect(read('v=spf1 constructor=1 toString=2 -all').unknownModifiers).toEqual(['constructor=1', 'toString=2']);
    expect(parseRecord('v=spf1 __proto__ -all')).toMatchObject({ error: { fault: 'unknown-mechanism' } });
  });
});

describe('RFC 7208 §7.1 domain-spec', () => {
  for (const text of [
    'a:%{d}',
    'a:%{d}.com',
    'a:x.com.',
    'a:x.xn--p1ai',
    'a:x.1-1',
    'a:a/b.example',
    'a:x%%',
    'a:.com',
  ]) {
    it(`takes ${text}`, () => {
      expect(parseRecord(`v=spf1 ${text}`).ok).toBe(true);
    });
  }
  for (const text of [
    'a:%{d}com',
    'a:com',
    'a:com.',
    'a:x.1',
    'a:x.-a',
    'a:x.a-',
    'a:x.com..',
    'a:x.a_b',
    'a:%',
    'a:%{d',
    'a:x.com/',
  ]) {
    it(`refuses ${text}`, () => {
      expect(parseRecord(`v=spf1 ${text}`).ok).toBe(false);
    });
  }
});

const term = fc
  .tuple(
    fc.constantFrom('', '+', '-', '~', '?'),
    fc.constantFrom(
      'all',
      'a',
      'mx/24',
      'a//64',
      'ptr',
      'mx:example.org/8//16',
      'include:_spf.%{d2}',
      'exists:%{ir}.%{l1r+-}._spf.%{d}',
      'ip4:192.0.2.0/24',
      'ip6:2001:db8::/32',
    ),
  )
  .map(([qualifier, mechanism]) => qualifier + mechanism);

describe('the parser', () => {
  it('reads every octet string or says what is wrong with it', () => {
    const octets = fc.oneof(
      fc.uint8Array(),
      fc
        .string({ unit: fc.constantFrom(...'amxptrincludeall:=/%{}.-+~? 0123456789') })
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(octets, (bytes) => {
        const parsed = parseRecord(Buffer.concat([Buffer.from('v=spf1 '), bytes]));
        expect(parsed.ok || parsed.error.position <= bytes.length + 7).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps every term as written and in order', () => {
    fc.assert(
      fc.property(fc.array(term), (terms) => {
        expect(read(`v=spf1 ${terms.join('  ')} `).directives.map((directive) => directive.text)).toEqual(terms);
      }),
    );
  });

  it('finds a fault anywhere', () => {
    fc.assert(
      fc.property(fc.array(term), fc.array(term), (before, after) => {
        const parsed = parseRecord(['v=spf1', ...before, 'moo', ...after].join(' '));
        expect(parsed).toMatchObject({ ok: false, error: { fault: 'unknown-mechanism', term: 'moo' } });
      }),
    );
  });

  it.each([
    ['terms', 'a '],
    ['slashes', '/1'],
    ['double slashes', '//'],
    ['hyphens', '-'],
    ['dots', '.'],
    ['percent signs', '%'],
    ['macros', '%{d}'],
    ['open macros', '%{d'],
    ['digits', '1'],
    ['spaces', ' '],
  ])('takes 200 kB of %s when the limit lets it', (_, piece) => {
    for (const start of ['v=spf1 ', 'v=spf1 a:', 'v=spf1 a:x.a', 'v=spf1 exp=%{d', 'v=spf1 a/', 'v=spf1 x=']) {
      const text = start + piece.repeat(200_000 / piece.length);
      expect(parseRecord(text, Infinity).ok).toBeTypeOf('boolean');
    }
  });

  it('refuses a record over the limit before it looks at it', () => {
    expect(parseRecord(`v=spf1 ${'a '.repeat(100)}`, 100)).toMatchObject({ error: { fault: 'record-too-long' } });
  });
});
