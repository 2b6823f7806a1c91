import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandName, expandText, parseMacroString } from '../src/macro.ts';
import type { MacroString, MacroValues } from '../src/macro.ts';

/** The example of RFC 7208 §7.4. */
const values: MacroValues = {
  s: 'strong-bad@email.example.com',
  l: 'strong-bad',
  o: 'email.example.com',
  d: 'email.example.com',
  i: '192.0.2.3',
  p: 'mx.example.org',
  v: 'in-addr',
  h: 'mx.example.org',
  c: '192.0.2.3',
  r: 'receiver.example',
  t: '0',
};

function parse(text: string): MacroString {
  const parsed = parseMacroString(text, 'text');
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.parts;
}

describe('RFC 7208 §7.4 expansion examples', () => {
  for (const [text, expansion] of [
    ['%{s}', 'strong-bad@email.example.com'],
    ['%{o}', 'email.example.com'],
    ['%{d}', 'email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d3}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{l}', 'strong-bad'],
    ['%{l-}', 'strong.bad'],
    ['%{lr}', 'strong-bad'],
    ['%{lr-}', 'bad.strong'],
    ['%{l1r-}', 'strong'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%{lr-}.lp._spf.%{d2}', 'bad.strong.lp._spf.example.com'],
    ['%{lr-}.lp.%{ir}.%{v}._spf.%{d2}', 'bad.strong.lp.3.2.0.192.in-addr._spf.example.com'],
    ['%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}', '3.2.0.192.in-addr.strong.lp._spf.example.com'],
    ['%{d2}.trusted-domains.example.net', 'example.com.trusted-domains.example.net'],
  ] as const) {
    it(`${text} is ${expansion}`, () => {
      expect(expandName(parse(text), values)).toBe(expansion);
    });
  }

  it('expands the nibbles of an IPv6 address', () => {
    const i = '2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1';
    expect(expandName(parse('%{ir}.%{v}._spf.%{d2}'), { ...values, i, v: 'ip6' })).toBe(
      '1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com',
    );
  });
});

describe('RFC 7208 §7.3 expansion', () => {
  it('escapes what an upper-case letter asks for', () => {
    expect(expandText(parse('%{S}'), { ...values, s: `a b'~e@x` }, 100)).toBe('a%20b%27~e%40x');
  });

  it('keeps a literal percent, space and escaped space', () => {
    expect(expandText(parse('100%% a%_b%-c'), values, 100)).toBe('100% a b%20c');
  });

  it('keeps all parts when more are asked for than there are', () => {
    expect(expandName(parse('%{d99999999999999999999}'), values)).toBe('email.example.com');
  });

  it('drops labels from the left until 253 characters remain', () => {
    const name = expandName(parse(`%{l}.${'abcdefghi.'.repeat(30)}example.com`), values)!;
    expect(name.length).toBeLessThanOrEqual(253);
    expect(name.length).toBeGreaterThan(253 - 11);
    expect(name).toMatch(/^abcdefghi\./);
  });

  it('drops the final dot of a name and keeps that of a text', () => {
    expect(expandName(parse('%{d}.'), values)).toBe('email.example.com');
    expect(expandText(parse('%{d}.'), values, 100)).toBe('email.example.com.');
  });

  it('has no expansion where a value has none', () => {
    expect(expandName(parse('%{l}.%{d}'), { ...values, l: undefined })).toBeUndefined();
    expect(expandName(parse('x.%{d}'), { ...values, l: undefined })).toBe('x.email.example.com');
  });
});

const anyValue = fc.string({ maxLength: 400 });
const macro = fc
  .tuple(
    fc.constantFrom(...'slodipvhcrtSLODIPVHCRT'),
    fc.option(fc.integer({ min: 1, max: 200 }), { nil: '' }),
    fc.constantFrom('', 'r', 'R'),
    fc.string({ unit: fc.constantFrom(...'.-+,/_='), maxLength: 8 }),
  )
  .map(([letter, digits, reverse, delimiters]) => `%{${letter}${digits}${reverse}${delimiters}}`);
const macroText = fc
  .array(fc.oneof(macro, fc.constantFrom('%%', '%_', '%-', '.', 'abc', 'x.y')), { maxLength: 200 })
  .map((parts) => parts.join(''));

describe('bounds of expansion', () => {
  it('hold for every text and every value', () => {
    fc.assert(
      fc.property(macroText, anyValue, anyValue, fc.integer({ min: 0, max: 300 }), (text, l, d, max) => {
        const filled = { ...values, l, d, s: `${l}@${d}` };
        expect(expandName(parse(text), filled)!.length).toBeLessThanOrEqual(253);
        expect(expandText(parse(text), filled, max)!.length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('do not change what lies within them', () => {
    fc.assert(
      fc.property(macroText, (text) => {
        const whole = expandText(parse(text), values, Infinity)!;
        const name = expandName(parse(text), values)!;
        expect(whole.replace(/\.$/, '').endsWith(name)).toBe(true);
        expect(whole.length > 254 || whole.replace(/\.$/, '') === name || whole.length === 254).toBe(true);
      }),
    );
  });

  it('hold for macros that come to nothing: their values are split as often as a name has characters, at most', () => {
    for (const expand of [expandName, (text: MacroString, filled: MacroValues) => expandText(text, filled, 1_000)]) {
      let reads = 0;
      const filled: MacroValues = {
        ...values,
        get l() {
          reads += 1;
          return '.'.repeat(1_000);
        },
      };
      expect(expand(parse('%{l1r.-+,/_=}'.repeat(254)), filled)).toBe('');
      expect(expand(parse('%{l1r.-+,/_=}'.repeat(2_000)), filled)).toBeUndefined();
      expect(reads).toBe(2 * 254);
    }
  });
});

describe('the macro parser', () => {
  it('reads every text or says what is wrong with it, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'%{}sd0r.-_') })),
        (text) => {
          const parsed = parseMacroString(text, 'domain');
          const outcome = parsed.ok ? typeof expandText(parsed.parts, values, 10_000) : parsed.fault;
          expect(outcome).toMatch(/^(?:string|macro-[a-z-]+)$/);
        },
      ),
    );
  });
});
