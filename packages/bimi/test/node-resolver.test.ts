import { ZoneResolver } from '@zegel/dns';
import type { DnsFailure, Resolver } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { toNodeResolver } from '../src/index.ts';

const zone = new ZoneResolver({
  'example.com': {
    TXT: ['v=spf1 -all', 'caf\u00e9'],
    A: ['192.0.2.1'],
    AAAA: ['2001:db8::1'],
    MX: [[10, 'mx.example.com']],
  },
  'servfail.example.com': 'SERVFAIL',
  'timeout.example.com': 'TIMEOUT',
  'alias.example.com': { CNAME: ['gone.example.com'] },
});

const failing = (reason: DnsFailure): Resolver => ({
  resolve: async () => ({ status: 'temporary-failure', reason, cnames: [] }),
});

describe('a Resolver in the shape of dns.promises.resolve()', () => {
  const look = toNodeResolver(zone);

  it('gives records as Node does', async () => {
    expect(await look('example.com', 'TXT')).toEqual([['v=spf1 -all'], [Buffer.from('caf\u00e9').toString('latin1')]]);
    expect(await look('example.com')).toEqual(['192.0.2.1']);
    expect(await look('example.com', 'AAAA')).toEqual(['2001:db8::1']);
    expect(await look('example.com', 'MX')).toEqual([{ priority: 10, exchange: 'mx.example.com' }]);
    expect(await look('alias.example.com', 'CNAME')).toEqual(['gone.example.com']);
  });

  it('refuses types it does not know', async () => {
    await expect(look('example.com', 'CAA')).rejects.toThrow(RangeError);
  });

  it('fails with the codes of Node', async () => {
    await expect(look('no.example.com', 'TXT')).rejects.toMatchObject({
      code: 'ENOTFOUND',
      hostname: 'no.example.com',
    });
    await expect(look('alias.example.com', 'A')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(look('example.com', 'PTR')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(look('servfail.example.com', 'TXT')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    await expect(look('timeout.example.com', 'TXT')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    for (const [reason, code] of [
      ['refused', 'EREFUSED'],
      ['network', 'ECONNREFUSED'],
      ['malformed', 'EBADRESP'],
    ] as const) {
      await expect(toNodeResolver(failing(reason))('example.com', 'A')).rejects.toMatchObject({ code });
    }
  });

  it('ends with its signal', async () => {
    const ended = toNodeResolver(zone, { signal: AbortSignal.abort() });
    await expect(ended('example.com', 'A')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });
});
