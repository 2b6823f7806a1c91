import { randomUUID } from 'node:crypto';
import { isDatabaseLost } from '@zegel/database';
import type { Database, Schema } from '@zegel/database';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import { requireDomain } from './domains.ts';
import { KeystoreError } from './errors.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { keystoreLimits } from './limits.ts';
import { UUID, pageOf, pageSize, readCursor, timeCursor, timePosition } from './page.ts';
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
   * Who comes with this secret. Found by its hash, so time says nothing about how much of it was right. Answers are
   * kept in memory for ten seconds: that long a token that another process has revoked still works here. Expiry is
   * always exact.
   */
  verify(secret: string): Promise<TokenVerification>;
  /** By age, revoked and expired ones too. @throws {KeystoreError} `keystore.page-invalid` */
  list(request?: PageRequest): Promise<Page<Token>>;
  /** For good; a second time changes nothing. @throws {KeystoreError} `keystore.token-unknown` */
  revoke(id: string): Promise<Token>;
}

type Row = Selectable<Schema['tokens']>;

/** A token that is kept in memory; each use of it that is noted makes it another. */
interface KnownToken {
  token: Token;
}

export function createTokens({ db }: Database, now: () => Date): Tokens {
  /** By the hash of the secret in hexadecimal. */
  const known = new ExpiringCache<KnownToken | null>({
    size: keystoreLimits.maxCachedTokens,
    ttlMs: keystoreLimits.cacheTtlMs,
    now: () => now().getTime(),
    // Inventing tokens must not push out the real ones.
    keeps: (found) => found !== null,
  });

  const find = async (secret: string, secretHash: string): Promise<KnownToken | null> => {
    if (!isTokenSecret(secret)) return null;
    const hash = Buffer.from(secretHash, 'hex');
    const row = await db.selectFrom('tokens').selectAll().where('secret_hash', '=', hash).executeTakeFirst();
    return row === undefined ? null : { token: toToken(row) };
  };

  const noteUse = async (used: KnownToken, at: Date): Promise<void> => {
    const { id } = used.token;
    const due = new Date(at.getTime() - keystoreLimits.lastUsedIntervalMs);
    // What is cached is what keeps the next use from being noted too.
    used.token = { ...used.token, lastUsedAt: at };
    try {
      await db
        .updateTable('tokens')
        .set({ last_used_at: at })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', due)]))
        .execute();
    } catch (error) {
      // A token that is good stays good when only this note is lost.
      if (!isDatabaseLost(error)) throw error;
    }
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
          secret_hash: Buffer.from(hashTokenSecret(secret), 'hex'),
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
      // What is known is of the right form, so that is looked at only for what is not.
      const hash = hashTokenSecret(secret);
      const found = await known.get(hash, () => find(secret, hash));
      if (found === null) return { ok: false, code: isTokenSecret(secret) ? 'token.unknown' : 'token.malformed' };
      const { revokedAt, expiresAt } = found.token;
      if (revokedAt !== null) return { ok: false, code: 'token.revoked' };
      const at = now();
      if (expiresAt !== null && expiresAt <= at) return { ok: false, code: 'token.expired' };
      if (isUseDue(found.token, at)) await noteUse(found, at);
      return { ok: true, token: found.token };
    },

    async list(request = {}) {
      const size = pageSize(request);
      const after = readCursor(request.after, timeCursor);
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
      return pageOf(rows.map(toToken), size, ({ createdAt, id }) => timePosition(createdAt, id));
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

/** Whether the last use that was noted is so long ago that this one is noted too. */
function isUseDue({ lastUsedAt }: Token, at: Date): boolean {
  return lastUsedAt === null || lastUsedAt.getTime() <= at.getTime() - keystoreLimits.lastUsedIntervalMs;
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
  const { maxExpiryYear } = keystoreLimits;
  if (expiresAt === null || (expiresAt > at && expiresAt.getUTCFullYear() <= maxExpiryYear)) return expiresAt;
  throw new KeystoreError('keystore.token-invalid', `a token expires in the future, in ${maxExpiryYear} at the latest`);
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
