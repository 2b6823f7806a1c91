import { isSubdomainOf, normalizeName } from '@zegel/dns';

/** Characters of an expanded domain name, the final dot not counted (RFC 7208 §7.3). */
export const maxNameLength = 253;

/**
 * The domain of an identity as it is asked: lower case, A-labels, without the final dot.
 * Undefined for what RFC 7208 §4.3 calls malformed: an empty or overlong label, an overlong name, a single label,
 * an address literal, an IDN without A-label form, or anything but letters, digits, hyphens and underscores.
 */
export function identityDomain(text: string): string | undefined {
  const name = normalizeName(text);
  return name !== null && isMultiLabel(name) && /^[a-z0-9._-]+$/.test(name) ? name : undefined;
}

/** Can the DNS be asked for this name? RFC 7208 §4.8 leaves open what else an expansion may hold. */
export function isAskable(name: string): boolean {
  return normalizeName(name) !== null;
}

/** RFC 7208 §4.3: check_host() asks only for names of two labels or more. */
export function isMultiLabel(name: string): boolean {
  return name.includes('.');
}

export function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** Drops labels on the left until at most 253 characters remain (RFC 7208 §7.3). May leave nothing. */
export function truncateName(name: string): string {
  if (name.length <= maxNameLength) return name;
  const dot = name.indexOf('.', name.length - maxNameLength - 1);
  return dot === -1 ? '' : name.slice(dot + 1);
}

/** Is `name` the same as `parent` or below it? Names that cannot be asked are in no relation. */
export function isWithin(name: string, parent: string): boolean {
  const [lower, upper] = [normalizeName(name), normalizeName(parent)];
  return lower !== null && upper !== null && isSubdomainOf(lower, upper);
}
