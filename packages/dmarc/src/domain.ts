import { normalizeName, splitLabels } from '@zegel/dns';

/** Letters, digits, hyphens, and the underscores that SPF and DKIM domains may hold. */
const mailDomain = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * A domain as DMARC compares it: A-labels, lower case, no final dot (RFC 9989 §5.3.1). Nothing for a text that is no
 * domain of a mail system: an address literal, an empty label, a character that no such domain has.
 */
export function readMailDomain(text: string): string | undefined {
  const name = normalizeName(text);
  return name !== null && mailDomain.test(name) ? name : undefined;
}

/** The name made of the last `count` labels of a domain. */
export function lastLabels(domain: string, count: number): string {
  return splitLabels(domain).slice(-count).join('.');
}

/** How many labels two domains share, counted from the right. */
export function sharedLabels(one: string, other: string): number {
  const left = splitLabels(one).toReversed();
  const right = splitLabels(other).toReversed();
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared += 1;
  return shared;
}
