import { randomUUID } from 'node:crypto';
import { isDatabaseLost } from '@zegel/database';
import type { Database, Schema } from '@zegel/database';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import { requireDomain } from './domains.ts';
import { KeystoreError } from './errors.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { keystoreLimits } from './limits.ts';
import { creationCursor, creationPosition, pageOf, pageSize, readCursor, UUID } from './page.ts';
import type { Page, PageRequest } from './page.ts';
import { generateTokenSecret, hashTokenSecret, isTokenSecret } from './token-secret.ts';

/** What a token may be used for. `admin` includes all others, and tokens themselves. */
export const tokenScopes = ['sign', 'verify', 'inbound', 'keys:read', 'keys:write', 'admin'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** What is known about an API token. Its secret is not: only a hash of it is kept. */
export interface Token {
  /** A UUID. */
  readonly id: string;
  /** What a person calls it. */
  readonly name: string;
  readonly scopes: readonly TokenScope[];
  /** The domains it may act for, exactly these; null is all. */
  readonly domains: readonly string[] | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** Why a token is not accepted. To the outside all of these are the same 401. */
export type TokenRefusal = 'token.malformed' | 'token.unknown' | 'token.revoked' | 'token.expired';

export type TokenVerification =
  | { readonly ok: true; readonly token: Token }
  | { readonly ok: false; readonly code: TokenRefusal };

/** The API tokens of a keystore. */
export interface Tokens {
  /**
   * Makes a token. The secret is given this once.
   *
   * @throws {KeystoreError} `keystore.token-invalid`, `keystore.domain-invalid`
   */
  create(options: {
    readonly name: string;
    readonly scopes: readonly TokenScope[];
    readonly domains?: readonly string[] | null;
    readonly expiresAt?: Date | null;
  }): Promise<{ readonly token: Token; readonly secret: string }>;
  /**
   * Who comes with this secret. Found by its hash, so time says nothing about how much of it was right. Answers are kept in memory for
   * ten seconds: that long a token that another process has revoked still works here. Expiry is always exact.
   */
  verify(secret: string): Promise<TokenVerification>;
  /** By age, revoked and expired ones too. @throws {KeystoreError} `keystore.page-invalid` */
  list(request?: PageRequest): Promise<Page<Token>>;
  /** For good; a second time changes nothing. @throws {KeystoreError} `keystore.token-unknown` */
  revoke(id: string): Promise<Token>;
}

type Row = Selectable<Schema['tokens']>;

export function createTokens({ db }: Database, now: () => Date): Tokens {
  const known = new ExpiringCache<Row | null>({
    size: keystoreLimits.maxCachedTokens,
    ttlMs: keystoreLimits.cacheTtlMs,
    now: () => now().getTime(),
    // Inventing tokens must not push out the real ones.
    keeps: (row) => row !== null,
  });

  const noteUse = async (row: Row, at: Date): Promise<Row> => {
    const due = new Date(at.getTime() - keystoreLimits.lastUsedIntervalMs);
    if (row.last_used_at !== null && row.last_used_at > due) return row;
    // The cached row is what keeps the next use from being noted too.
    row.last_used_at = at;
    try {
      await db
        .updateTable('tokens')
        .set({ last_used_at: at })
        .where('id', '=', row.id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', due)]))
        .execute();
    } catch (error) {
      // A token that is good stays good when only this note is lost.
      if (!isDatabaseLost(error)) throw error;
    }
    return row;
  };

  return {
    async create({ name, scopes, domains = null, expiresAt = null }) {
      const at = now();
      const secret = generateTokenSecret();
      const row = await db
        .insertInto('tokens')
        .values({
          id: randomUUID(),
          name: requireName(name),
          secret_hash: hashTokenSecret(secret),
          scopes: requireScopes(scopes),
          domains: requireDomains(domains),
          created_at: at,
          expires_at: requireFuture(expiresAt, at),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return { token: toToken(row), secret };
    },

    async verify(secret) {
      if (!isTokenSecret(secret)) return { ok: false, code: 'token.malformed' };
      const hash = hashTokenSecret(secret);
      const load = async (): Promise<Row | null> =>
        (await db.selectFrom('tokens').selectAll().where('secret_hash', '=', hash).executeTakeFirst()) ?? null;
      const row = await known.get(hash.toString('hex'), load);
      if (row === null) return { ok: false, code: 'token.unknown' };
      if (row.revoked_at !== null) return { ok: false, code: 'token.revoked' };
      const at = now();
      if (row.expires_at !== null && row.expires_at <= at) return { ok: false, code: 'token.expired' };
      return { ok: true, token: toToken(await noteUse(row, at)) };
    },

    async list(request = {}) {
      const size = pageSize(request);
      const after = readCursor(request.after, creationCursor);
      const rows = await db
        .selectFrom('tokens')
        .selectAll()
        .$if(after !== null, (query) =>
          query.where(sql<boolean>`(created_at, id) > (${after?.[0]}::timestamptz, ${after?.[1]}::uuid)`),
        )
        .orderBy('created_at')
        .orderBy('id')
        .limit(size + 1)
        .execute();
      return pageOf(rows.map(toToken), size, creationPosition);
    },

    async revoke(id) {
      const revokedAt = now();
      const row = UUID.test(id)
        ? await db
            .updateTable('tokens')
            .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.val(revokedAt)) }))
            .where('id', '=', id)
            .returningAll()
            .executeTakeFirst()
        : undefined;
      if (row === undefined) throw new KeystoreError('keystore.token-unknown', 'there is no such token');
      known.delete(Buffer.from(row.secret_hash).toString('hex'));
      return toToken(row);
    },
  };
}

/** Whether a token may be used for this, and for this domain (A-labels in lower case) where one is concerned. */
export function tokenAllows(token: Token, scope: TokenScope, domain?: string): boolean {
  if (!token.scopes.includes(scope) && !token.scopes.includes('admin')) return false;
  return domain === undefined || token.domains === null || token.domains.includes(domain);
}

function requireName(name: string): string {
  if (name !== '' && name.length <= keystoreLimits.maxTokenNameLength && !name.includes('\0')) return name;
  throw new KeystoreError(
    'keystore.token-invalid',
    `a token's name has 1 to ${keystoreLimits.maxTokenNameLength} characters`,
  );
}

function requireScopes(scopes: readonly string[]): string[] {
  const unknown = scopes.find((scope) => !isTokenScope(scope));
  if (scopes.length > 0 && unknown === undefined) return [...new Set(scopes)];
  throw new KeystoreError('keystore.token-invalid', `a token's scopes are one or more of ${tokenScopes.join(', ')}`);
}

function requireDomains(domains: readonly string[] | null): string[] | null {
  if (domains === null) return null;
  if (domains.length === 0 || domains.length > keystoreLimits.maxTokenDomains) {
    throw new KeystoreError(
      'keystore.token-invalid',
      `a token lists 1 to ${keystoreLimits.maxTokenDomains} domains, or is for all`,
    );
  }
  return [...new Set(domains.map(requireDomain))];
}

function requireFuture(expiresAt: Date | null, at: Date): Date | null {
  if (expiresAt === null || expiresAt > at) return expiresAt;
  throw new KeystoreError('keystore.token-invalid', 'a token expires in the future');
}

function isTokenScope(scope: string): scope is TokenScope {
  return tokenScopes.some((known) => known === scope);
}

function toToken(row: Row): Token {
  return {
    id: row.id,
    name: row.name,
    // A scope this version does not know, written by a newer one, gives no right.
    scopes: row.scopes.filter(isTokenScope),
    domains: row.domains,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
