import ipaddr from 'ipaddr.js';

/** An address as its octets: 4 of them for IPv4, 16 for IPv6. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly octets: readonly number[];
}

/** A network: its address and how many leading bits count. */
export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/**
 * Reads a dotted quad. Exactly four decimal numbers without leading zeros: the short, octal and hexadecimal forms
 * that inet_aton() takes are refused, since they mean different hosts to different readers.
 */
export function parseIpv4(text: string): IpAddress | undefined {
  if (text.length > 15) return undefined;
  const octets: number[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      const octet = readOctet(text, start, at);
      if (octet === undefined || octets.push(octet) > 4) return undefined;
      start = at + 1;
    }
  }
  return octets.length === 4 ? { version: 4, octets } : undefined;
}

const DOT = 0x2e;

/** A decimal number up to 255, without leading zeros. */
function readOctet(text: string, start: number, end: number): number | undefined {
  if (end === start || end - start > 3 || (end - start > 1 && text.charAt(start) === '0')) return undefined;
  let octet = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    octet = octet * 10 + digit;
  }
  return octet <= 255 ? octet : undefined;
}

/** Reads an IPv6 address (RFC 4291 §2.2), the form with a dotted quad at the end included; no zone, no prefix. */
export function parseIpv6(text: string): IpAddress | undefined {
  if (text.length > 45 || !/^[0-9a-f:]*:[0-9a-f.:]*$/i.test(text)) return undefined;
  const groups = text.includes('.') ? withHexadecimalTail(text) : text;
  if (groups === undefined || !ipaddr.IPv6.isValid(groups)) return undefined;
  return { version: 6, octets: ipaddr.IPv6.parse(groups).toByteArray() };
}

/** The dotted quad at the end as two groups: ipaddr.js would read `::192.0.2.1` as the IPv4-mapped `::ffff:192.0.2.1`. */
function withHexadecimalTail(text: string): string | undefined {
  const colon = text.lastIndexOf(':');
  const quad = parseIpv4(text.slice(colon + 1));
  if (quad === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = quad.octets;
  return `${text.slice(0, colon + 1)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/**
 * Reads a client address. An IPv4-mapped IPv6 address is the IPv4 address it maps (RFC 7208 §5).
 * Undefined for anything else than one plain address.
 */
export function parseClientIp(text: string): IpAddress | undefined {
  const address = parseIpv4(text) ?? parseIpv6(text);
  if (address?.version !== 6 || !isIpv4Mapped(address.octets)) return address;
  return { version: 4, octets: address.octets.slice(12) };
}

function isIpv4Mapped(octets: readonly number[]): boolean {
  return octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff;
}

/** Does the address lie in the network? Never across versions. */
export function contains(network: IpNetwork, address: IpAddress): boolean {
  if (network.address.version !== address.version) return false;
  let bits = network.prefixLength;
  for (let i = 0; bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((network.address.octets[i] ?? 0) & mask) !== ((address.octets[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** Dotted quad, or IPv6 text as RFC 5952 recommends it. */
export function formatIp(address: IpAddress): string {
  if (address.version === 4) return dottedQuad(address.octets);
  const parsed = ipaddr.fromByteArray([...address.octets]);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

function dottedQuad([a, b, c, d]: readonly number[]): string {
  return `${a}.${b}.${c}.${d}`;
}

/** The `%{i}` form (RFC 7208 §7.3): dotted quad, or the 32 nibbles of an IPv6 address with dots between them. */
export function dottedForm(address: IpAddress): string {
  if (address.version === 4) return dottedQuad(address.octets);
  return address.octets.flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]).join('.');
}

/** The name that holds the PTR records of an address (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: IpAddress): string {
  if (address.version === 4) return `${dottedQuad(address.octets.toReversed())}.in-addr.arpa`;
  return `${dottedForm(address).split('.').toReversed().join('.')}.ip6.arpa`;
}
