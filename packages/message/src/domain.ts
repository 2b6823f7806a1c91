import { normalizeName } from '@zegel/dns';

const letterDigitHyphen = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * A domain name as mail uses it (RFC 5321 §2.3.5, RFC 6376 §3.5), in the form in which names are compared: lower case,
 * A-labels, no final dot. Null when it is none: empty or over-long labels, characters other than letters, digits,
 * hyphens and underscores (which selectors and service names hold), or a U-label that IDNA does not know.
 */
export function normalizeDomain(name: string): string | null {
  const normalized = normalizeName(name);
  return normalized !== null && letterDigitHyphen.test(normalized) ? normalized : null;
}
