import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CachingResolver, DnsConfigurationError, parseNameServer, parseResolvConf } from '../src/client.ts';
import { isLoopback } from '../src/client/name-server.ts';

describe('resolv.conf(5)', () => {
  it('names up to three servers', () => {
    const text = `# by hand
; also by hand
search example.com
options edns0 trust-ad
nameserver 192.0.2.1
\tnameserver\t2001:db8::53 # second\r
nameserver fe80::1%eth0
nameserver 192.0.2.4
`;
    expect(parseResolvConf(text)).toEqual([
      { address: '192.0.2.1', port: 53 },
      { address: '2001:db8::53', port: 53 },
      { address: 'fe80::1%eth0', port: 53 },
    ]);
  });

  it.each(['', 'nameserver', 'nameserver dns.example', 'nameservers 192.0.2.1', '#nameserver 192.0.2.1'])(
    '%j means the server of this host',
    (text) => {
      expect(parseResolvConf(text)).toEqual([{ address: '127.0.0.1', port: 53 }]);
    },
  );

  it('is read from a file, which may be missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'zegel-resolv-'));
    const file = join(folder, 'resolv.conf');
    writeFileSync(file, 'nameserver 192.0.2.7\n');
    expect(new CachingResolver({ resolvConf: file }).servers).toEqual([{ address: '192.0.2.7', port: 53 }]);
    expect(new CachingResolver({ resolvConf: folder }).servers).toEqual([{ address: '127.0.0.1', port: 53 }]);
    rmSync(folder, { recursive: true });
    expect(new CachingResolver({ resolvConf: file }).servers).toEqual([{ address: '127.0.0.1', port: 53 }]);
  });
});

describe('a name server as text', () => {
  it.each([
    ['192.0.2.1', { address: '192.0.2.1', port: 53 }],
    ['192.0.2.1:5353', { address: '192.0.2.1', port: 5353 }],
    ['2001:db8::1', { address: '2001:db8::1', port: 53 }],
    ['[2001:db8::1]:5353', { address: '2001:db8::1', port: 5353 }],
    ['[::1]', { address: '::1', port: 53 }],
  ])('%s', (text, server) => {
    expect(parseNameServer(text)).toEqual(server);
  });

  it.each([
    '',
    'dns.example',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:x',
    '[192.0.2.1]:53',
    '[::1',
    '::1]:53',
    ':53',
  ])('%j is none', (text) => {
    expect(() => parseNameServer(text)).toThrow(DnsConfigurationError);
  });

  it('there must be one to three of', () => {
    expect(() => new CachingResolver({ servers: [] })).toThrow(DnsConfigurationError);
    expect(() => new CachingResolver({ servers: Array(4).fill('192.0.2.1') })).toThrow(
      expect.objectContaining({ code: 'dns.bad-configuration' }),
    );
  });
});

describe('RFC 4035 §4.9.3 servers whose AD bit is believed unasked', () => {
  it('are those on loopback', () => {
    for (const address of ['127.0.0.1', '127.0.0.53', '::1']) expect(isLoopback({ address, port: 53 })).toBe(true);
    for (const address of ['192.0.2.1', '10.127.0.1', '::', 'fe80::1'])
      expect(isLoopback({ address, port: 53 })).toBe(false);
  });
});
