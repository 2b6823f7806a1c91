import type { Database } from '@zegel/database';
import { isAuthorEntry, loginKeys } from '@zegel/mail-policy';
import type { LoginMap } from '@zegel/mail-policy';
import { KeystoreError } from './errors.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { keystoreLimits } from './limits.ts';
import { pageOf, pageSize, readCursor } from './page.ts';
import type { Page, PageRequest } from './page.ts';

/** What a login may sign as. */
export interface Login {
  /** In lower case as far as it is US-ASCII: a whole login, `*@domain` for all of a domain, or `*` for all. */
  readonly login: string;
  /** Author addresses, domains with all below them, or `*`. */
  readonly authors: readonly string[];
  readonly createdAt: Date;
  readonly changedAt: Date;
}

/** The map of logins in the database. Answers are kept in memory for ten seconds; a change made here counts at once. */
export interface Logins extends LoginMap {
  /** Sets what a login may sign as; an empty list permits nothing. @throws {KeystoreError} `keystore.login-invalid` */
  set(login: string, authors: readonly string[]): Promise<Login>;
  /** By login. @throws {KeystoreError} `keystore.page-invalid` */
  list(request?: PageRequest): Promise<Page<Login>>;
  /** @throws {KeystoreError} `keystore.login-unknown` */
  delete(login: string): Promise<void>;
}

export function createLogins({ db }: Database, now: () => Date): Logins {
  let known = emptyCache(now);
  /** One entry may stand for many logins, so a change forgets all of them. */
  const forget = (): void => {
    known = emptyCache(now);
  };

  return {
    entriesOf: async (login) =>
      known.get(login, async () => {
        const keys = loginKeys(login).filter(isStorable);
        const rows = await db
          .selectFrom('logins')
          .select(['login', 'authors'])
          .where('login', 'in', [...keys])
          .execute();
        const byKey = new Map(rows.map((row) => [row.login, row.authors]));
        return keys.map((key) => byKey.get(key)).find((authors) => authors !== undefined) ?? null;
      }),

    async set(login, authors) {
      const key = requireLogin(login);
      const most = keystoreLimits.maxLoginAuthors;
      if (authors.length > most || !authors.every((author) => isAuthorEntry(author) && isStorable(author))) {
        throw new KeystoreError('keystore.login-invalid', `authors are addresses, domains or "*", at most ${most}`);
      }
      const at = now();
      const row = await db
        .insertInto('logins')
        .values({ login: key, authors: [...authors], created_at: at, changed_at: at })
        .onConflict((conflict) => conflict.column('login').doUpdateSet({ authors: [...authors], changed_at: at }))
        .returningAll()
        .executeTakeFirstOrThrow();
      forget();
      return toLogin(row);
    },

    async list(request = {}) {
      const size = pageSize(request);
      const [after] = readCursor(request.after, [isStorable]) ?? [];
      const rows = await db
        .selectFrom('logins')
        .selectAll()
        .$if(after !== undefined, (query) => query.where('login', '>', after ?? ''))
        .orderBy('login')
        .limit(size + 1)
        .execute();
      return pageOf(rows.map(toLogin), size, ({ login }) => [login]);
    },

    async delete(login) {
      const [key = ''] = loginKeys(login);
      if (!isStorable(key)) throw unknownLogin();
      const { numDeletedRows } = await db.deleteFrom('logins').where('login', '=', key).executeTakeFirstOrThrow();
      forget();
      if (numDeletedRows === 0n) throw unknownLogin();
    },
  };
}

function emptyCache(now: () => Date): ExpiringCache<readonly string[] | null> {
  return new ExpiringCache({
    size: keystoreLimits.maxCachedLogins,
    ttlMs: keystoreLimits.cacheTtlMs,
    now: () => now().getTime(),
  });
}

/** The login in the form in which it is stored. @throws {KeystoreError} `keystore.login-invalid` */
function requireLogin(login: string): string {
  const [key = ''] = loginKeys(login);
  if (isStorable(key)) return key;
  throw new KeystoreError(
    'keystore.login-invalid',
    `a login has 1 to ${keystoreLimits.maxLoginLength} characters, no controls`,
  );
}

function unknownLogin(): KeystoreError {
  return new KeystoreError('keystore.login-unknown', 'there is no such login');
}

/** PostgreSQL holds no NUL and no lone surrogate; a line feed would end a cursor. */
function isStorable(text: string): boolean {
  return text !== '' && text.length <= keystoreLimits.maxLoginLength && !/\p{Cc}/u.test(text) && text.isWellFormed();
}

function toLogin(row: {
  readonly login: string;
  readonly authors: readonly string[];
  readonly created_at: Date;
  readonly changed_at: Date;
}): Login {
  return { login: row.login, authors: row.authors, createdAt: row.created_at, changedAt: row.changed_at };
}
