import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { formatKeyRecord, keyRecordName } from '@zegel/dkim';
import type { BenchContext } from '../adapter.ts';

/** Domain, keys, DNS and session that all contestants share. */
export interface Ground extends BenchContext {
  readonly edPrivateKeyPem: string;
  readonly edSelector: string;
  readonly rsaKey: KeyObject;
  /** Every TXT record by name. */
  readonly texts: Readonly<Record<string, string>>;
  readonly addresses: Readonly<Record<string, readonly string[]>>;
}

/** The keys of a ground, in PEM: what a process needs to make the same one. */
export type GroundKeys = Pick<Ground, 'privateKeyPem' | 'edPrivateKeyPem'>;

class DnsError extends Error {
  readonly code: string;
  constructor(code: string, name: string) {
    super(`${code} ${name}`);
    this.code = code;
  }
}

/**
 * A domain that sends through two mail providers, as most do: its SPF record includes theirs, which include the lists
 * of their networks. The client is in the last network of the second list: ten records, eight of them read.
 */
export function createGround(keys: GroundKeys = freshKeys()): Ground {
  const domain = 'sender.example.com';
  const selector = 'rsa2026';
  const edSelector = 'ed2026';
  const rsaKey = createPrivateKey(keys.privateKeyPem);
  const edKey = createPrivateKey(keys.edPrivateKeyPem);
  const texts: Record<string, string> = {
    [keyRecordName(selector, domain)]: formatKeyRecord(createPublicKey(rsaKey)),
    [keyRecordName(edSelector, domain)]: formatKeyRecord(createPublicKey(edKey)),
    [`_dmarc.${domain}`]: 'v=DMARC1; p=reject; sp=quarantine; adkim=r; aspf=r; rua=mailto:dmarc@example.com',
    [domain]: 'v=spf1 ip4:198.51.100.0/24 a include:_spf.office.example include:_spf.bulk.example ~all',
    '_spf.office.example':
      'v=spf1 include:_netblocks.office.example include:_netblocks2.office.example include:_netblocks3.office.example ~all',
    '_netblocks.office.example': `v=spf1 ${networks('10.1', 14)} ~all`,
    '_netblocks2.office.example': `v=spf1 ${networks6('2001:db8:40', 6)} ~all`,
    '_netblocks3.office.example': `v=spf1 ${networks('10.3', 10)} ~all`,
    '_spf.bulk.example': `v=spf1 ip4:192.0.2.0/26 ip4:192.0.2.64/26 exists:%{i}._spf.bulk.example include:_more.bulk.example -all`,
    '_more.bulk.example': `v=spf1 ${networks('10.9', 9)} ip4:203.0.113.0/24 -all`,
    'app.sender.example.com': 'v=spf1 a -all',
  };
  const addresses: Record<string, readonly string[]> = {
    [domain]: ['192.0.2.200'],
    'app.sender.example.com': ['203.0.113.7'],
    '203.0.113.7._spf.bulk.example': [],
  };
  return {
    domain,
    selector,
    edSelector,
    privateKeyPem: keys.privateKeyPem,
    edPrivateKeyPem: keys.edPrivateKeyPem,
    rsaKey,
    texts,
    addresses,
    async resolver(name, type) {
      const asked = name.toLowerCase();
      if (type === 'TXT' && texts[asked] !== undefined) return [strings(texts[asked])];
      if (type === 'A' && (addresses[asked]?.length ?? 0) > 0) return addresses[asked];
      if (type === 'PTR' && asked === '7.113.0.203.in-addr.arpa') return ['app.sender.example.com'];
      throw new DnsError(asked in texts || asked in addresses ? 'ENODATA' : 'ENOTFOUND', name);
    },
    spf: { ip: '203.0.113.7', helo: 'app.sender.example.com', sender: `bounce+4711@${domain}` },
  };
}

function freshKeys(): GroundKeys {
  return {
    privateKeyPem: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    edPrivateKeyPem: pem(generateKeyPairSync('ed25519').privateKey),
  };
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function networks(prefix: string, count: number): string {
  return Array.from({ length: count }, (_, at) => `ip4:${prefix}.${at * 16}.0/${20 - (at % 3)}`).join(' ');
}

function networks6(prefix: string, count: number): string {
  return Array.from({ length: count }, (_, at) => `ip6:${prefix}${at}:4000::/36`).join(' ');
}

/** The character-strings of a TXT record: 255 octets each at most. */
function strings(text: string): string[] {
  return text.match(/.{1,255}/g) ?? [''];
}
