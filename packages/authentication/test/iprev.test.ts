import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { maxReverseNames } from '../src/iprev.ts';
import type { IprevCode, IprevVerdict } from '../src/index.ts';
import { RecordingResolver, check, message, options } from './ground.ts';

const name4 = '1.2.0.192.in-addr.arpa';
const name6 = `${'1.0.0.0.'.padEnd(48, '0.')}8.b.d.0.1.0.0.2.ip6.arpa`;

async function iprev(zone: ZoneDeclaration, ip = '192.0.2.1'): Promise<IprevVerdict | undefined> {
  const { report } = await check(message, {
    context: { session: { ip } },
    options: { resolver: new ZoneResolver(zone) },
  });
  return report.iprev;
}

describe("RFC 8601 §3 the client's name", () => {
  const ways: Record<IprevCode, ZoneDeclaration> = {
    'iprev.pass': { [name4]: { PTR: ['a.test', 'b.test'] }, 'b.test': { A: ['192.0.2.9', '192.0.2.1'] } },
    'iprev.no-name': {},
    'iprev.no-agreement': { [name4]: { PTR: ['a.test'] }, 'a.test': { A: ['192.0.2.2'] } },
    'iprev.dns-failure': { [name4]: 'SERVFAIL' },
  };

  it.each(Object.entries(ways))('%s is reached, and its words are filled in', async (code, zone) => {
    const verdict = await iprev(zone);
    expect(verdict).toMatchObject({ code, evidence: { ip: '192.0.2.1' } });
    expect(`${verdict?.explanation} ${verdict?.advice ?? ''}`).not.toMatch(/[{}?]/);
  });

  it('has an IPv6 address compared as AAAA, however it is written', async () => {
    const zone = { [name6]: { PTR: ['a.test'] }, 'a.test': { AAAA: ['2001:db8::1'], A: ['192.0.2.1'] } };
    expect(await iprev(zone, '2001:0DB8:0:0:0:0:0:1')).toMatchObject({
      code: 'iprev.pass',
      evidence: { name: 'a.test' },
    });
  });

  it('takes a failure to find one of the names for temporary, unless another one leads back', async () => {
    const names = { [name4]: { PTR: ['a.test', 'b.test'] }, 'a.test': 'TIMEOUT' } as const;
    expect(await iprev(names)).toMatchObject({ result: 'temperror', evidence: { reason: 'timeout' } });
    expect(await iprev({ ...names, 'b.test': { A: ['192.0.2.1'] } })).toMatchObject({ result: 'pass' });
  });

  it('looks at no more names than it may', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `n${index}.test`);
    const verdict = await iprev({ [name4]: { PTR: names }, 'n10.test': { A: ['192.0.2.1'] } });
    expect(verdict).toMatchObject({ code: 'iprev.no-agreement' });
    expect(verdict?.evidence.names).toHaveLength(maxReverseNames);
  });

  it('is not asked when the address is not known', async () => {
    const resolver = new RecordingResolver();
    const { report } = await check(message, { context: {}, options: { ...options, resolver } });
    expect(report.iprev).toBeUndefined();
    expect(report.authenticationResults).not.toContain('iprev');
    expect(resolver.asked.filter((question) => question.endsWith('PTR'))).toEqual([]);
  });
});

describe('RFC 8601 §2.7.4 auth', () => {
  it('names a plain login', async () => {
    const { report } = await check(message, { context: { session: { login: 'ann@example.com' } } });
    expect(report.auth).toMatchObject({ result: 'pass', login: 'ann@example.com' });
    expect(report.authenticationResults).toContain('auth=pass smtp.auth=ann@example.com');
  });

  it.each(['dmarc=pass', 'a b', '"dkim=pass"@example.com', '', 'a;dkim=pass'])(
    'writes nothing of the login %j',
    async (login) => {
      const { report } = await check(message, { context: { session: { login } } });
      expect(report.authenticationResults.replaceAll(/\s+/g, ' ')).toMatch(/^mx\.example\.net; auth=pass; /);
    },
  );
});
