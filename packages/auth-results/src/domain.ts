import { domainToASCII } from 'node:url';

/** Letters, digits, hyphens, dots and underscores of any script: nothing that a URL parser would take apart. */
const nameShaped = /^[\p{L}\p{M}\p{N}._-]+$/u;

/** Whether a text is shaped as the name of a host, in any script. */
export function isNameShaped(text: string): boolean {
  return nameShaped.test(text);
}

/** A domain with its U-labels as A-labels (RFC 5890). Undefined when it is no valid international domain name. */
export function toAsciiDomain(domain: string): string | undefined {
  if (!isNameShaped(domain)) return undefined;
  const ascii = domainToASCII(domain);
  // Digits of other scripts can end up as an IPv4 address, which is no domain.
  return ascii === '' || /^[0-9.]+$/.test(ascii) ? undefined : ascii;
}
