import type { Database } from '@zegel/database';
import { normalizeDomain } from '@zegel/message';
import { sql } from 'kysely';
import { KeystoreError } from './errors.ts';
import { pageOf, pageSize, readCursor } from './page.ts';
import type { Page, PageRequest } from './page.ts';

/** A domain we hold keys for. */
export interface Domain {
  /** In lower case, A-labels, no final dot. */
  readonly name: string;
  readonly createdAt: Date;
}

/** The domains of a keystore. Names are taken in any case and as U-labels too. */
export interface Domains {
  /** @throws {KeystoreError} `keystore.domain-invalid`, `keystore.domain-exists` */
  create(name: string): Promise<Domain>;
  /** Null when it is not known or no domain name. */
  get(name: string): Promise<Domain | null>;
  /** By name. `among` leaves out all others: what a token may see. @throws {KeystoreError} `keystore.page-invalid` */
  list(request?: PageRequest & { readonly among?: readonly string[] }): Promise<Page<Domain>>;
  /**
   * Deletes a domain with its keys; their private bytes are gone.
   *
   * @throws {KeystoreError} `keystore.domain-unknown`; `keystore.domain-in-use` while a key of it is active
   */
  delete(name: string): Promise<void>;
}

/** `changed` hears of every domain whose keys are not what they were. */
export function createDomains(
  { db }: Database,
  { now, changed }: { readonly now: () => Date; readonly changed: (domain: string) => void },
): Domains {
  return {
    async create(name) {
      const domain = { name: requireDomain(name), created_at: now() };
      const created = await db
        .insertInto('domains')
        .values(domain)
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst();
      if (created === undefined) {
        throw new KeystoreError('keystore.domain-exists', `the domain ${domain.name} is there already`);
      }
      changed(domain.name);
      return toDomain(created);
    },

    async get(name) {
      const normalized = normalizeDomain(name);
      if (normalized === null) return null;
      const row = await db.selectFrom('domains').selectAll().where('name', '=', normalized).executeTakeFirst();
      return row === undefined ? null : toDomain(row);
    },

    async list(request = {}) {
      const size = pageSize(request);
      const [after] = readCursor(request.after, [(text) => /^[a-z0-9._-]+$/.test(text)]) ?? [];
      const rows = await db
        .selectFrom('domains')
        .selectAll()
        .$if(after !== undefined, (query) => query.where('name', '>', after ?? ''))
        .$if(request.among !== undefined, (query) => query.where(sql<boolean>`name = any(${request.among})`))
        .orderBy('name')
        .limit(size + 1)
        .execute();
      return pageOf(rows.map(toDomain), size, (domain) => [domain.name]);
    },

    async delete(name) {
      const domain = requireDomain(name);
      await db.transaction().execute(async (trx) => {
        // The row is locked first: whoever activates a key has to lock it too.
        const row = await trx
          .selectFrom('domains')
          .select('name')
          .where('name', '=', domain)
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) throw unknownDomain(domain);
        const active = await trx
          .selectFrom('keys')
          .select('selector')
          .where('domain', '=', domain)
          .where('state', '=', 'active')
          .executeTakeFirst();
        if (active !== undefined) {
          throw new KeystoreError(
            'keystore.domain-in-use',
            `the key ${active.selector} of ${domain} is active: retire it before deleting the domain`,
          );
        }
        await trx.deleteFrom('domains').where('name', '=', domain).execute();
      });
      changed(domain);
    },
  };
}

/** The name in the form in which it is stored. @throws {KeystoreError} `keystore.domain-invalid` */
export function requireDomain(name: string): string {
  const normalized = normalizeDomain(name);
  if (normalized !== null && normalized.includes('.')) return normalized;
  throw new KeystoreError('keystore.domain-invalid', `${JSON.stringify(name.slice(0, 300))} is not a domain name`);
}

export function unknownDomain(name: string): KeystoreError {
  return new KeystoreError('keystore.domain-unknown', `the domain ${name} is not known`);
}

function toDomain(row: { readonly name: string; readonly created_at: Date }): Domain {
  return { name: row.name, createdAt: row.created_at };
}
