import { ZoneResolver } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { discoverPolicy, findOrganizationalDomain } from '../src/index.ts';
import { policies, RecordingResolver } from './recording-resolver.ts';

async function organizationalDomain(domain: string, records: Parameters<typeof policies>[0]): Promise<string> {
  const found = await findOrganizationalDomain(domain, { resolver: new ZoneResolver(policies(records)) });
  return found.status === 'found' ? found.domain : found.status;
}

async function policyDomain(author: string, records: Parameters<typeof policies>[0]): Promise<string> {
  const found = await discoverPolicy(author, { resolver: new ZoneResolver(policies(records)) });
  return found.status === 'found' ? found.policy.domain : found.status;
}

describe('RFC 9989 §4.10 DNS tree walk', () => {
  it('asks at the eight names the standard gives for a domain of thirteen labels', async () => {
    const resolver = new RecordingResolver({});
    await findOrganizationalDomain('a.b.c.d.e.f.g.h.i.j.mail.example.com', { resolver });
    expect(resolver.asked).toEqual([
      '_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com',
      '_dmarc.g.h.i.j.mail.example.com',
      '_dmarc.h.i.j.mail.example.com',
      '_dmarc.i.j.mail.example.com',
      '_dmarc.j.mail.example.com',
      '_dmarc.mail.example.com',
      '_dmarc.example.com',
      '_dmarc.com',
    ]);
  });

  it.each([
    [1, 1],
    [2, 2],
    [7, 7],
    [8, 8],
    [9, 8],
    [60, 8],
  ])('asks a domain of %i labels %i times', async (labels, queries) => {
    const resolver = new RecordingResolver({});
    await findOrganizationalDomain(Array.from({ length: labels }, () => 'x').join('.'), { resolver });
    expect(resolver.asked).toHaveLength(queries);
  });

  it.each(['y', 'n'])('stops at psd=%s', async (psd) => {
    const resolver = new RecordingResolver(policies({ 'example.com': `v=DMARC1; p=none; psd=${psd}` }));
    await findOrganizationalDomain('a.example.com', { resolver });
    expect(resolver.asked).toEqual(['_dmarc.a.example.com', '_dmarc.example.com']);
  });

  it('stops at a failed look-up and names it', async () => {
    const resolver = new RecordingResolver(policies({ 'example.com': 'SERVFAIL' }));
    const found = await findOrganizationalDomain('a.example.com', { resolver });
    expect(found).toMatchObject({ status: 'temporary-failure', name: '_dmarc.example.com', reason: 'servfail' });
    expect(resolver.asked).toEqual(['_dmarc.a.example.com', '_dmarc.example.com']);
  });

  it('says of each look-up what it found', async () => {
    const resolver = new ZoneResolver({
      '_dmarc.a.b.c.example.com': { TXT: ['v=spf1 -all'] },
      '_dmarc.b.c.example.com': { TXT: ['v=DMARC1; p=none', 'v=DMARC1; p=none'] },
      '_dmarc.c.example.com': { A: ['192.0.2.1'] },
      '_dmarc.example.com': { TXT: ['other', 'v=DMARC1; p=reject'] },
    });
    const found = await findOrganizationalDomain('a.b.c.example.com', { resolver });
    expect(found.status === 'found' && found.walk).toEqual([
      { name: '_dmarc.a.b.c.example.com', status: 'other-records', ttl: 300 },
      { name: '_dmarc.b.c.example.com', status: 'several-records', ttl: 300 },
      { name: '_dmarc.c.example.com', status: 'nodata', ttl: 300 },
      { name: '_dmarc.example.com', status: 'record', record: 'v=DMARC1; p=reject', ttl: 300 },
      { name: '_dmarc.com', status: 'nxdomain', ttl: 300 },
    ]);
  });

  it.each(['', '.', 'a..b', '[192.0.2.1]', 'exa mple.com', 'x(y).example', 'a\u0000.example', `${'x'.repeat(64)}.com`])(
    'does not walk from %j, which is no domain',
    async (domain) => {
      const resolver = new RecordingResolver({});
      expect(await findOrganizationalDomain(domain, { resolver })).toEqual({ status: 'invalid-domain' });
      expect(await discoverPolicy(domain, { resolver })).toEqual({ status: 'invalid-domain' });
      expect(resolver.asked).toEqual([]);
    },
  );
});

describe('RFC 9989 §4.10.2 organizational domain', () => {
  const record = 'v=DMARC1; p=none';

  it('is the domain with the fewest labels that has a record', async () => {
    expect(
      await organizationalDomain('a.mail.example.com', { 'mail.example.com': record, 'example.com': record }),
    ).toBe('example.com');
  });

  it('is a domain with psd=n, whatever stands above it', async () => {
    const records = { 'mail.example.com': `${record}; psd=n`, 'example.com': record, com: `${record}; psd=y` };
    expect(await organizationalDomain('a.mail.example.com', records)).toBe('mail.example.com');
  });

  it('is one label below a public suffix', async () => {
    expect(await organizationalDomain('a.mail.example.com', { com: `${record}; psd=y` })).toBe('example.com');
    expect(await organizationalDomain('mail.example.com', { 'example.com': `${record}; psd=y` })).toBe(
      'mail.example.com',
    );
  });

  it('is one label below a public suffix also where the walk skipped that name', async () => {
    const suffix = 't.u.v.w.x.y.z';
    expect(await organizationalDomain(`a.b.c.${suffix}`, { [suffix]: `${record}; psd=y` })).toBe(`c.${suffix}`);
  });

  it('is the public suffix itself for its own mail', async () => {
    expect(await organizationalDomain('bank.example', { 'bank.example': `${record}; psd=y`, example: record })).toBe(
      'bank.example',
    );
  });

  it('is the domain itself when there is no record at all', async () => {
    expect(await organizationalDomain('a.mail.example.com', {})).toBe('a.mail.example.com');
  });

  it('counts the psd of a record whose policy cannot be used', async () => {
    expect(await organizationalDomain('a.b.example.com', { 'example.com': 'v=DMARC1; p=bogus; psd=y' })).toBe(
      'b.example.com',
    );
  });

  it('takes U-labels and any case', async () => {
    expect(await organizationalDomain('Mail.BÜCHER.example.', { 'xn--bcher-kva.example': record })).toBe(
      'xn--bcher-kva.example',
    );
  });
});

describe('RFC 9989 §4.10.1 policy discovery', () => {
  it('prefers the author domain, and asks no further', async () => {
    const resolver = new RecordingResolver(
      policies({ 'a.example.com': 'v=DMARC1; p=none', 'example.com': 'v=DMARC1; p=reject' }),
    );
    expect(await discoverPolicy('a.example.com', { resolver })).toMatchObject({
      status: 'found',
      policy: { domain: 'a.example.com' },
    });
    expect(resolver.asked).toEqual(['_dmarc.a.example.com']);
  });

  it('takes the organizational domain before a record between', async () => {
    const records = { 'mail.example.com': 'v=DMARC1; p=none', 'example.com': 'v=DMARC1; p=reject' };
    expect(await policyDomain('a.mail.example.com', records)).toBe('example.com');
  });

  it('takes the public suffix domain when the organizational domain has none, and not a record between', async () => {
    const records = { 'a.b.bank.example': 'v=DMARC1; p=none', 'bank.example': 'v=DMARC1; p=reject; psd=y' };
    expect(await policyDomain('x.a.b.bank.example', records)).toBe('bank.example');
  });

  it('takes the organizational domain before its public suffix domain', async () => {
    const records = { 'b.bank.example': 'v=DMARC1; p=none', 'bank.example': 'v=DMARC1; p=reject; psd=y' };
    expect(await policyDomain('x.b.bank.example', records)).toBe('b.bank.example');
  });

  it('does not go past a record that cannot be used', async () => {
    const records = { 'a.example.com': 'v=DMARC1; p=bogus', 'example.com': 'v=DMARC1; p=reject' };
    expect(await policyDomain('a.example.com', records)).toBe('a.example.com');
  });

  it('goes past a name with several records', async () => {
    const records = {
      'a.example.com': ['v=DMARC1; p=none', 'v=DMARC1; p=none'],
      'example.com': 'v=DMARC1; p=reject',
    };
    expect(await policyDomain('a.example.com', records)).toBe('example.com');
  });

  it('knows no policy when a look-up failed on the way', async () => {
    const records = { 'a.example.com': 'SERVFAIL', 'example.com': 'v=DMARC1; p=reject' };
    expect(await policyDomain('a.example.com', records)).toBe('temporary-failure');
  });
});
