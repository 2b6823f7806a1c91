import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, dottedForm, formatIp, parseClientIp, parseIpv4, parseIpv6, reverseName } from '../src/ip.ts';

describe('client addresses', () => {
  for (const text of [
    '',
    '1.2.3',
    '16909060',
    '0x1.2.3.4',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4.',
    ' 1.2.3.4',
    '1.2.3.4/32',
    '1.2.3.4:25',
    '[1.2.3.4]',
    '::ffff:1.2.3',
    '::ffff:01.2.3.4',
    '::ffff:0x1.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'fe80::1%eth0',
    '2001:db8::/32',
    '[2001:db8::1]',
    'IPv6:2001:db8::1',
    '2001:db8',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'unknown',
  ]) {
    it(`refuse ${JSON.stringify(text)}`, () => {
      expect(parseClientIp(text)).toBeUndefined();
    });
  }

  it('are IPv4 when an IPv6 address maps one (RFC 7208 §5)', () => {
    expect(formatIp(parseClientIp('::FFFF:192.0.2.1')!)).toBe('192.0.2.1');
    expect(formatIp(parseClientIp('0:0:0:0:0:ffff:c000:201')!)).toBe('192.0.2.1');
    expect(parseClientIp('::192.0.2.1')?.version).toBe(6);
    expect(parseClientIp('64:ff9b::192.0.2.1')?.version).toBe(6);
  });

  it('are written as RFC 5952 recommends', () => {
    expect(formatIp(parseClientIp('2001:DB8:0:0:1:0:0:1')!)).toBe('2001:db8::1:0:0:1');
    expect(formatIp(parseClientIp('2001:db8:0:1:1:1:1:1')!)).toBe('2001:db8:0:1:1:1:1:1');
  });

  it('have a dotted and a reverse form (RFC 7208 §7.3)', () => {
    const address = parseIpv6('2001:db8::cb01')!;
    expect(dottedForm(address)).toBe('2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1');
    expect(reverseName(address)).toBe('1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa');
    expect(reverseName(parseIpv4('192.0.2.3')!)).toBe('3.2.0.192.in-addr.arpa');
  });

  it('are read back as written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIpv4(text) ?? parseIpv6(text)!;
        expect(parseIpv4(formatIp(address)) ?? parseIpv6(formatIp(address))).toEqual(address);
      }),
    );
  });
});

const bits = (octets: readonly number[]): string => octets.map((o) => o.toString(2).padStart(8, '0')).join('');

describe('networks', () => {
  it('hold the addresses whose leading bits are theirs', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (network, client, prefixLength) => {
        const [address, other] = [parseIpv4(network)!, parseIpv4(client)!];
        const same = bits(address.octets).slice(0, prefixLength) === bits(other.octets).slice(0, prefixLength);
        expect(contains({ address, prefixLength }, other)).toBe(same);
      }),
    );
  });

  it('never hold an address of the other version', () => {
    expect(contains({ address: parseIpv6('::')!, prefixLength: 0 }, parseIpv4('192.0.2.1')!)).toBe(false);
    expect(contains({ address: parseIpv4('0.0.0.0')!, prefixLength: 0 }, parseIpv6('::1')!)).toBe(false);
  });
});
