import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../src/index.ts';

describe('RFC 6890 addresses that are not on the public internet', () => {
  for (const [kind, ...addresses] of [
    ['this network', '0.0.0.0', '0.255.255.255'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1', '100.127.255.254'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['link-local', '169.254.169.254', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
    ['protocol assignments', '192.0.0.1', '192.0.0.170', '2001::1', '2001:10::1', '2001:2::1', '100::1'],
    ['documentation', '192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
    ['6to4', '192.88.99.1', '2002:7f00:1::', '2002:a9fe:a9fe::1'],
    ['benchmarks', '198.18.0.1', '198.19.255.255'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1'],
    ['reserved', '240.0.0.1', '255.255.255.255'],
    ['unspecified', '::'],
    ['v4-mapped, also of public addresses', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::ffff:8.8.8.8'],
    ['v4-compatible and v4-translated', '::127.0.0.1', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1', '64:ff9b:1::a00:1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['unique local and site-local', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    ['not given out', '4000::1', '5f00::1', 'e000::1'],
    ['no address', '', 'localhost', '127.1', '0x7f.0.0.1', '2130706433', '[::1]', '1.2.3.4 ', '8.8.8.8:443'],
  ] as const) {
    it(`refuses ${kind}`, () => {
      for (const address of addresses) expect(isPublicAddress(address), address).toBe(false);
    });
  }

  it('takes unicast addresses of the public internet', () => {
    for (const address of [
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.0.0.1',
      '128.0.0.1',
      '169.253.255.255',
      '172.15.0.1',
      '172.32.0.1',
      '192.0.1.1',
      '192.167.0.1',
      '198.17.0.1',
      '198.20.0.1',
      '223.255.255.254',
      '2001:4860:4860::8888',
      '2001:200::1',
      '2001:db7::1',
      '2001:db9::1',
      '2003::1',
      '2606:4700::1111',
      '3ffe::1',
      '2a00::1',
    ])
      expect(isPublicAddress(address), address).toBe(true);
  });
});
