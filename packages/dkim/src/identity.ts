import { isSubdomainOf } from '@zegel/dns';
import { normalizeDomain } from '@zegel/message';
import { quotedPrintable } from './format.ts';

/**
 * Nothing, or a local part of RFC 5321 §4.1.2 and RFC 6531 §3.3: atoms with dots between, or a quoted string. Of the text as it
 * stands in i=, before quoted-printable is decoded (RFC 6376 §3.5).
 */
export const identityLocalPart =
  /^(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+)*|"(?:[ !#-[\]-~\u0080-\u{10ffff}]|\\[ -~])*")?$/u;

/**
 * An identity (an address, or `@` and a domain) in the form that i= wants it in: its domain with A-labels and without a final dot
 * (RFC 6376 §3.5). Null for one that is not at the signing domain or below it, or whose local part cannot stand in i=.
 */
export function identityWithin(identity: string, domain: string): string | null {
  const at = identity.lastIndexOf('@');
  const identityDomain = at === -1 ? null : normalizeDomain(identity.slice(at + 1));
  if (identityDomain === null || !isSubdomainOf(identityDomain, domain)) return null;
  const local = identity.slice(0, at);
  return identityLocalPart.test(quotedPrintable(local)) ? `${local}@${identityDomain}` : null;
}
