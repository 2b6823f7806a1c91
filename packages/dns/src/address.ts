/**
 * IP addresses in the one text form that answers carry.
 */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6_LETTERS = /^[0-9A-Fa-f:.]{2,45}$/;

/** Whether the text is a dotted quad without leading zeros. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/**
 * The RFC 5952 §4 form of an IPv6 address: lower case, the longest run of zeros shortened; an IPv4-mapped address
 * stays in hexadecimal. Null when the text is not an IPv6 address; a zone index is not part of one.
 */
export function canonicalIpv6(text: string): string | null {
  if (!IPV6_LETTERS.test(text)) return null;
  const url = URL.parse(`http://[${text}]`);
  return url === null ? null : url.hostname.slice(1, -1);
}
