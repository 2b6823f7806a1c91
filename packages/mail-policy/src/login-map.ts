import { normalizeDomain } from '@zegel/message';
import type { LoginMap } from './submitter.ts';

/** A map that knows no login: everyone signs as its own address. */
export const noLoginMap: LoginMap = { entriesOf: async () => null };

/**
 * A map in memory. A login is looked for as it is, then as `*@` and its domain, then as `*`. Logins are compared
 * without case in US-ASCII.
 */
export function createLoginMap(entries: Readonly<Record<string, readonly string[]>>): LoginMap {
  const byLogin = new Map(Object.entries(entries).map(([login, authors]) => [withoutCase(login), authors]));
  return {
    async entriesOf(login) {
      for (const key of loginKeys(login)) {
        const authors = byLogin.get(key);
        if (authors !== undefined) return authors;
      }
      return null;
    },
  };
}

/** The keys under which a login is looked for, the closest first. */
export function loginKeys(login: string): readonly string[] {
  const exact = withoutCase(login);
  const at = exact.lastIndexOf('@');
  return [exact, ...(at === -1 ? [] : [`*${exact.slice(at)}`]), '*'];
}

/** Whether a text may be what a login signs as: an author address, a domain name, or `*`. */
export function isAuthorEntry(text: string): boolean {
  const at = text.lastIndexOf('@');
  return text === '*' || (at !== 0 && normalizeDomain(text.slice(at + 1)) !== null);
}

/** In US-ASCII alone, as `maySignAs` compares: Unicode has letters whose lower case is another letter. */
function withoutCase(login: string): string {
  return login.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
