import { describe, expect, test } from 'vitest';
import { SigningTableError, createSigningTable } from '../src/index.ts';
import type { SigningRule, SigningTablePolicy } from '../src/index.ts';

const table = (rules: readonly SigningRule[], rest: Partial<SigningTablePolicy> = {}) =>
  createSigningTable({ rules, ...rest });

const candidates = (rules: readonly SigningRule[], author: string): readonly string[] =>
  table(rules)
    .planFor(author)
    .candidates.map(({ domain, selectors }) => [domain, ...(selectors ?? [])].join(' '));

describe('which domain signs for an author', () => {
  test('without rules: its own, or the nearest above', () => {
    expect(candidates([], 'a.b.example.org')).toEqual(['a.b.example.org', 'b.example.org', 'example.org']);
    expect(table([]).planFor('example.org')).not.toHaveProperty('rule');
  });

  test('an exact rule chooses keys, also for what lies below, where nothing closer is known', () => {
    const rules = [{ author: 'example.org', selectors: ['s1', 's2'] }];
    expect(candidates(rules, 'example.org')).toEqual(['example.org s1 s2']);
    expect(candidates(rules, 'news.example.org')).toEqual(['news.example.org', 'example.org s1 s2']);
  });

  test('the rule from subdomain to parent can be off for a domain', () => {
    const rules = [{ author: 'example.org', subdomains: false }];
    expect(candidates(rules, 'example.org')).toEqual(['example.org']);
    expect(candidates(rules, 'a.news.example.org')).toEqual(['a.news.example.org', 'news.example.org']);
  });

  test('a rule that does not cover what lies below it hides no rule that does', () => {
    const exact = { author: 'shop.example.org', subdomains: false };
    const wildcard = { author: '*.example.org', domain: 'example.org', selectors: ['w'] };
    expect(candidates([exact, wildcard], 'a.shop.example.org')).toEqual(['example.org w']);
    expect(candidates([exact, wildcard], 'shop.example.org')).toEqual(['shop.example.org', 'example.org w']);
    const above = { author: 'example.org', selectors: ['s'] };
    expect(candidates([exact, above], 'a.shop.example.org')).toEqual(['a.shop.example.org', 'example.org s']);
    expect(table([exact, { author: '*' }]).planFor('a.shop.example.org').rule).toBe('*');
  });

  test('a wildcard is for every name below, not for the domain itself', () => {
    const rules = [{ author: '*.example.org', domain: 'example.org', selectors: ['w'] }];
    expect(candidates(rules, 'a.b.example.org')).toEqual(['example.org w']);
    expect(candidates(rules, 'example.org')).toEqual(['example.org']);
    expect(candidates(rules, 'notexample.org')).toEqual(['notexample.org']);
  });

  test('the closest rule counts: exact, wildcard, exact above, any', () => {
    const rules = [
      { author: '*', domain: 'any.example' },
      { author: 'example.org', domain: 'parent.example' },
      { author: '*.example.org', domain: 'wildcard.example' },
      { author: 'a.example.org', domain: 'exact.example' },
    ];
    expect(table(rules).planFor('a.example.org')).toMatchObject({
      rule: 'a.example.org',
      candidates: [{ domain: 'exact.example' }],
    });
    expect(table(rules).planFor('b.example.org').rule).toBe('*.example.org');
    expect(table(rules).planFor('example.org').rule).toBe('example.org');
    expect(table(rules).planFor('c.a.example.org').rule).toBe('a.example.org');
    expect(table(rules).planFor('example.com').candidates).toEqual([{ domain: 'any.example' }]);
  });

  test('U-labels in a rule are the A-labels of mail', () => {
    expect(candidates([{ author: 'bücher.example', domain: 'BÜCHER.example' }], 'xn--bcher-kva.example')).toEqual([
      'xn--bcher-kva.example',
    ]);
  });

  test('i= may follow the author domain', () => {
    const rules = [{ author: '*.example.org', domain: 'example.org', identity: 'author-domain', validity: 60 }];
    expect(table(rules).planFor('news.example.org').candidates).toEqual([
      { domain: 'example.org', identity: '@news.example.org', validity: 60 },
    ]);
  });

  test('additional domains sign besides; those of a rule replace the common ones', () => {
    const rules = [{ author: 'example.org', additional: [] }];
    const common = { additional: [{ domain: 'esp.example', selectors: ['e'] }] };
    expect(table(rules, common).planFor('example.com').additional).toEqual([
      { domain: 'esp.example', selectors: ['e'] },
    ]);
    expect(table(rules, common).planFor('example.org')).not.toHaveProperty('additional');
  });

  test('the default domain is there only when asked for', () => {
    expect(table([]).planFor('example.org')).not.toHaveProperty('fallback');
    expect(table([], { defaultDomain: 'Default.example' }).planFor('example.org').fallback).toEqual({
      domain: 'default.example',
      afterMissingKey: false,
    });
  });

  test('rules that cannot stand are a mistake of the caller', () => {
    expect(() => table([{ author: 'not a domain' }])).toThrow(SigningTableError);
    expect(() => table([{ author: 'Example.org' }, { author: 'example.org' }])).toThrow('two rules');
    expect(() => table([], { defaultDomain: '' })).toThrow(SigningTableError);
  });
});
