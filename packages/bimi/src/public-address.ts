/**
 * Which addresses the public internet has (IANA special-purpose address registries, RFC 6890): the only ones to which a
 * stranger's record may send us.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** IPv4 networks that are not globally reachable, or not unicast. */
const specialIpv4 = [
  ['0.0.0.0', 8], // this network, RFC 791
  ['10.0.0.0', 8], // private, RFC 1918
  ['100.64.0.0', 10], // carrier-grade NAT, RFC 6598
  ['127.0.0.0', 8], // loopback, RFC 1122
  ['169.254.0.0', 16], // link-local, RFC 3927: cloud metadata services live here
  ['172.16.0.0', 12], // private, RFC 1918
  ['192.0.0.0', 24], // protocol assignments, RFC 6890
  ['192.0.2.0', 24], // documentation, RFC 5737
  ['192.88.99.0', 24], // 6to4 relays, RFC 7526
  ['192.168.0.0', 16], // private, RFC 1918
  ['198.18.0.0', 15], // benchmarks, RFC 2544
  ['198.51.100.0', 24], // documentation, RFC 5737
  ['203.0.113.0', 24], // documentation, RFC 5737
  ['224.0.0.0', 4], // multicast, RFC 5771
  ['240.0.0.0', 4], // reserved, and the limited broadcast address
] as const;

/**
 * Global unicast, all that IANA has given out (RFC 4291 §2.4). Everything that leads to an IPv4 or local address lies
 * outside: loopback, v4-mapped and v4-compatible forms, NAT64, unique local, link-local, multicast.
 */
const globalUnicast = ['2000::', 3] as const;

/** What lies within global unicast and is not reachable, or holds an IPv4 address. */
const specialIpv6 = [
  ['2001::', 23], // protocol assignments: Teredo, benchmarks, ORCHID; RFC 2928
  ['2001:db8::', 32], // documentation, RFC 3849
  ['2002::', 16], // 6to4, RFC 3056
  ['3fff::', 20], // documentation, RFC 9637
] as const;

const refusedIpv4 = new BlockList();
for (const [network, prefix] of specialIpv4) refusedIpv4.addSubnet(network, prefix, 'ipv4');
const refusedIpv6 = new BlockList();
for (const [network, prefix] of specialIpv6) refusedIpv6.addSubnet(network, prefix, 'ipv6');
const allowedIpv6 = new BlockList();
allowedIpv6.addSubnet(...globalUnicast, 'ipv6');

/**
 * Whether an address is a unicast address of the public internet. `address` is a dotted quad or RFC 4291 text without
 * brackets; whatever is neither, an IPv6 address with a zone index among it, is not public.
 *
 * A network of one's own that uses public addresses, or translates with a prefix of its own (RFC 6052), is not known here.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !refusedIpv4.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return allowedIpv6.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6');
}
