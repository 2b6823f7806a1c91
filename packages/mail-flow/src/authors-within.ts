import { isSubdomainOf } from '@zegel/dns';
import { normalizeDomain } from '@zegel/message';

/**
 * What of a list of authors (entries of `Submitter.maySignAs`) lies in these domains or below them: both must permit an author.
 */
export function authorsOf(entries: readonly string[], domains: readonly string[]): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry === '*') return domains;
    const domain = normalizeDomain(entry.slice(entry.lastIndexOf('@') + 1));
    if (domain === null) return [];
    if (domains.some((above) => isSubdomainOf(domain, above))) return [entry];
    return entry.includes('@') ? [] : domains.filter((below) => isSubdomainOf(below, domain));
  });
}
