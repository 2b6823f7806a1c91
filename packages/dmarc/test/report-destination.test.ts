import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { verifyReportDestination } from '../src/index.ts';
import { policies, RecordingResolver } from './recording-resolver.ts';

function verify(uri: string, zone: ZoneDeclaration, tag?: 'rua' | 'ruf'): ReturnType<typeof verifyReportDestination> {
  const resolver = new ZoneResolver(zone);
  return verifyReportDestination({ policyDomain: 'example.com', uri, resolver, ...(tag && { tag }) });
}

const name = 'example.com._report._dmarc.reports.example';

describe('RFC 9990 §4 verifying external destinations', () => {
  it('asks nothing for the policy domain itself', async () => {
    const resolver = new RecordingResolver({});
    const uri = 'mailto:d@EXAMPLE.com?subject=x@y';
    expect(await verifyReportDestination({ policyDomain: 'example.com', uri, resolver })).toEqual({
      status: 'internal',
      uris: [uri],
    });
    expect(resolver.asked).toEqual([]);
  });

  it('asks no leave within one organization', async () => {
    const zone = policies({ 'example.com': 'v=DMARC1; p=none' });
    expect(await verify('mailto:d@reports.example.com', zone)).toMatchObject({ status: 'internal' });
    expect(await verify('mailto:d@reports.example.com', {})).toMatchObject({ status: 'refused' });
  });

  it('takes the URIs the destination gives, for the reports they are for', async () => {
    const zone = { [name]: { TXT: ['other', 'v=DMARC1; rua=mailto:dmarc@reports.example'] } };
    const uri = 'https://reports.example:8443/in';
    expect(await verify(uri, zone)).toEqual({ status: 'authorized', uris: ['mailto:dmarc@reports.example'] });
    expect(await verify(uri, zone, 'ruf')).toEqual({ status: 'authorized', uris: [uri] });
  });

  it('refuses a destination that sends the reports on to another host', async () => {
    const zone = { [name]: { TXT: ['v=DMARC1; rua=mailto:d@victim.example'] } };
    expect(await verify('mailto:d@reports.example', zone)).toEqual({ status: 'refused', name, cause: 'other-host' });
  });

  it.each(['mailto:', 'mailto:d', 'mailto:d@[192.0.2.1]', 'tel:123', 'mailto:d@a..b'])(
    'finds no host in %j',
    async (uri) => {
      expect(await verify(uri, {})).toEqual({ status: 'invalid' });
    },
  );

  it('comes back later after a failed look-up of either kind', async () => {
    const uri = 'mailto:d@reports.example';
    expect(await verify(uri, { [name]: 'TIMEOUT' })).toEqual({ status: 'temporary-failure', name, reason: 'timeout' });
    expect(await verify(uri, policies({ 'reports.example': 'SERVFAIL' }))).toMatchObject({
      status: 'temporary-failure',
      name: '_dmarc.reports.example',
    });
  });
});
