import { isSubdomainOf } from '@zegel/dns';
import { normalizeDomain } from '@zegel/message';
import type { Mailbox } from '@zegel/message';

/**
 * Who hands a message in, as the door knows it: a login, an API token, a trusted network. Never taken from the message.
 *
 * `maySignAs` lists what it may sign as: an author address (`me@example.test`), a domain with everything below it
 * (`example.test`), or `*` for anybody. Without it a login that is an address may sign as that address, and nobody else may.
 */
export interface Submitter {
  readonly login?: string;
  readonly ip?: string;
  readonly maySignAs?: readonly string[];
}

/** Whether the submitter may sign mail whose authors are these. Every one of them must be allowed. */
export function maySignAs(submitter: Submitter, authors: readonly Mailbox[]): boolean {
  const entries = entriesOf(submitter);
  return authors.length > 0 && authors.every((author) => entries.some((entry) => allows(entry, author)));
}

/** Whether the submitter may ask for signatures of a domain: it lies in, or above, something it may sign as. */
export function mayAskFor(submitter: Submitter, domain: string): boolean {
  return entriesOf(submitter).some((entry) => {
    if (entry === '*') return true;
    const allowed = normalizeDomain(entry.slice(entry.lastIndexOf('@') + 1));
    return allowed !== null && (isSubdomainOf(domain, allowed) || isSubdomainOf(allowed, domain));
  });
}

function entriesOf({ login, maySignAs: entries }: Submitter): readonly string[] {
  return entries ?? (login?.includes('@') === true ? [login] : []);
}

function allows(entry: string, author: Mailbox): boolean {
  if (entry === '*') return true;
  const at = entry.lastIndexOf('@');
  const allowed = normalizeDomain(entry.slice(at + 1));
  const domain = normalizeDomain(author.domain);
  if (allowed === null || domain === null) return false;
  if (at === -1) return isSubdomainOf(domain, allowed);
  return domain === allowed && withoutCase(entry.slice(0, at)) === withoutCase(author.localPart);
}

/**
 * Logins are compared without case, as mail servers do, but in US-ASCII alone: Unicode has letters whose lower case is
 * another letter (the Kelvin sign and "k").
 */
function withoutCase(localPart: string): string {
  return localPart.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
