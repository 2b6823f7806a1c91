import { contains, formatIp, parseClientIp } from '@zegel/spf';
import type { IpNetwork } from '@zegel/spf';

/**
 * Reads `192.0.2.0/24`, `2001:db8::/32`, or one address. Host bits behind the prefix are permitted and do not count. Null for
 * anything else; an IPv4-mapped network is read as the IPv4 network it maps.
 */
export function parseNetwork(text: string): IpNetwork | null {
  const slash = text.indexOf('/');
  const address = parseClientIp(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) return null;
  const bits = address.octets.length * 8;
  if (slash === -1) return { address, prefixLength: bits };
  const digits = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits)) return null;
  const isMapped = address.version === 4 && text.includes(':');
  const prefixLength = isMapped ? Number(digits) - 96 : Number(digits);
  return prefixLength >= 0 && prefixLength <= bits ? { address, prefixLength } : null;
}

/** The form that {@link parseNetwork} reads, the prefix always written. */
export function formatNetwork({ address, prefixLength }: IpNetwork): string {
  return `${formatIp(address)}/${prefixLength}`;
}

/** The first of the networks that an address lies in. Text that is no address lies in none. */
export function findNetwork<T>(
  ip: string | undefined,
  entries: readonly T[],
  networkOf: (entry: T) => IpNetwork,
): T | undefined {
  const address = ip === undefined ? undefined : parseClientIp(ip);
  return address === undefined ? undefined : entries.find((entry) => contains(networkOf(entry), address));
}
