import { describe, expect, test } from 'vitest';
import { authorsOf } from '../src/authors-within.ts';

describe('what a submitter may sign as, held to the domains of a token', () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['an address inside', ['ann@example.org'], ['example.org'], ['ann@example.org']],
    ['an address below', ['ann@Mail.Example.ORG'], ['example.org'], ['ann@Mail.Example.ORG']],
    ['an address outside', ['ann@example.org'], ['example.net'], []],
    ['an address above', ['ann@example.org'], ['mail.example.org'], []],
    ['a domain inside', ['mail.example.org'], ['example.org'], ['mail.example.org']],
    ['a domain around', ['example.org'], ['mail.example.org', 'example.net'], ['mail.example.org']],
    ['a name that only ends alike', ['badexample.org'], ['example.org'], []],
    ['anybody', ['*'], ['example.org', 'example.net'], ['example.org', 'example.net']],
    ['an address in U-labels', ['ann@bücher.example'], ['xn--bcher-kva.example'], ['ann@bücher.example']],
    ['a domain in U-labels', ['Bücher.example'], ['a.xn--bcher-kva.example'], ['a.xn--bcher-kva.example']],
    ['what has no domain name', ['ann@', 'ann@[192.0.2.1]'], ['example.org'], []],
    ['nobody', [], ['example.org'], []],
    ['a token for no domain', ['*', 'ann@example.org'], [], []],
  ])('%s', (_, entries, domains, expected) => {
    expect(authorsOf(entries, domains)).toEqual(expected);
  });
});
