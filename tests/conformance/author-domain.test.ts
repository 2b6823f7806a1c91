/**
 * The author domain of From, where OpenDMARC and Mail::DMARC were asked too. Both guess what a person may have meant;
 * we do not, since the next program guesses otherwise. Each case in which we differ is named with its rule.
 */
import { parseHeader, readAuthor } from '@zegel/message';
import { loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';

interface Records {
  readonly fromDomain: readonly { readonly header: string; readonly opendmarc: string }[];
  readonly fromDomainMailDmarc: readonly { readonly header: string; readonly domain: string | null }[];
}

const { fromDomain, fromDomainMailDmarc } = loadConformance<Records>('dmarc/records.json');

/** What we answer where upstream names one domain, and why. */
const differences: Readonly<Record<string, readonly [answer: string, rule: string]>> = {
  '"Johnson, Joe <joe@joe.com>" joe@joe.com': [
    'message.from-unparsable',
    'RFC 5322 §3.4: behind a display name an address stands in angle brackets',
  ],
  '"( bob@bob.com)" joe@joe.com': [
    'message.from-unparsable',
    'RFC 5322 §3.4: behind a display name an address stands in angle brackets',
  ],
  '<<<><joe@joe.com>>>': ['message.from-unparsable', 'RFC 5322 §3.4: angle brackets do not nest'],
  'Joe Johnson <joe@joe.com>, ace@ace.com': [
    'joe.com, ace.com',
    'RFC 9989 §5.3.1: several author domains are no author domain',
  ],
  'joe@joe.com, ace@ace.com': ['joe.com, ace.com', 'RFC 9989 §5.3.1: several author domains are no author domain'],
  'Mail From:<joe@joe.com>': ['message.from-unparsable', 'RFC 5322 §3.4: a group ends in a semicolon'],
};

/** The author domains, or the code that says why there are none. Some cases hold the whole field, most its value. */
function authorOf(text: string): string {
  const field = text.startsWith('From:') ? text : `From: ${text}`;
  const author = readAuthor(parseHeader(Buffer.from(`${field}\r\n`)));
  return author.ok ? author.domains.join(', ') : author.code;
}

describe('conformance: the author domain, beside OpenDMARC', () => {
  for (const { header, opendmarc } of fromDomain) {
    const [expected, rule] = differences[header] ?? [opendmarc];
    it(`${header}${rule === undefined ? '' : ` (against the suite; ${rule})`}`, () => {
      expect(authorOf(header)).toBe(expected);
    });
  }

  it('differs only where a rule is named', () => {
    const headers = fromDomain.map(({ header }) => header);
    expect(Object.keys(differences).filter((header) => !headers.includes(header))).toEqual([]);
  });
});

describe('conformance: the author domain, beside Mail::DMARC', () => {
  it.each(fromDomainMailDmarc.filter(({ domain }) => domain !== null))('$header', ({ header, domain }) => {
    expect(authorOf(header)).toBe(domain);
  });

  it.each(fromDomainMailDmarc.filter(({ domain }) => domain === null))('$header has no one domain', ({ header }) => {
    expect(authorOf(header)).toMatch(/^message\.|, /);
  });
});
