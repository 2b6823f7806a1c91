import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder } from '@zegel/test-harness';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadMasterKey, openKeystore, tokenAllows } from '../src/index.ts';
import type { Keystore, Token, TokenScope } from '../src/index.ts';
import { generateTokenSecret, isTokenSecret } from '../src/token-secret.ts';
import { grounds } from './grounds.ts';
import type { Ground } from './grounds.ts';

const rejection = (code: string) => expect.objectContaining({ code });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the secret of a token', () => {
  test('is known by its checksum: any other character in any place is noticed', () => {
    const secret = generateTokenSecret();
    expect(secret).toMatch(/^zgl_[A-Za-z0-9_-]{43}[0-9a-f]{8}$/);
    expect(isTokenSecret(secret)).toBe(true);
    fc.assert(
      fc.property(fc.nat(secret.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const changed = secret.slice(0, at) + character + secret.slice(at + 1);
        expect(isTokenSecret(changed)).toBe(changed === secret);
      }),
    );
    expect(isTokenSecret(`${secret} `)).toBe(false);
    expect(isTokenSecret('')).toBe(false);
  });

  test('can be made by whoever can make a SHA-256', () => {
    const body = `zgl_${'a'.repeat(43)}`;
    expect(isTokenSecret(body + sha256(body).slice(0, 8))).toBe(true);
  });
});

describe.each(grounds)('tokens on %s', (_, open) => {
  let ground: Ground;
  let clock: Date;
  let keystore: Keystore;
  let other: Keystore;
  let folder: TemporaryFolder;

  const now = (): Date => clock;
  const pass = (milliseconds: number): void => void (clock = new Date(clock.getTime() + milliseconds));

  beforeAll(async () => {
    ground = await open();
    clock = new Date('2026-01-01T00:00:00Z');
    const masterKey = await loadMasterKey({ value: randomBytes(32).toString('base64') });
    keystore = await openKeystore({ database: ground.database, masterKey, now });
    other = await openKeystore({ database: ground.other, masterKey, now });
  });

  afterAll(() => ground[Symbol.asyncDispose]());

  beforeEach(() => {
    folder = temporaryFolder('tokens');
  });

  afterEach(() => folder.remove());

  test('a token verifies with what it was made with, in every process', async () => {
    const made = { name: 'mta', scopes: ['sign'], domains: ['Example.ORG'] } as const;
    const { token, secret } = await keystore.tokens.create(made);
    expect(token).toMatchObject({ name: 'mta', scopes: ['sign'], domains: ['example.org'], createdAt: clock });
    for (const { tokens } of [keystore, other]) {
      expect(await tokens.verify(secret)).toEqual({ ok: true, token: { ...token, lastUsedAt: clock } });
    }
  });

  test('the secret is not in the database', async () => {
    const { token, secret } = await keystore.tokens.create({ name: 'x', scopes: ['sign'] });
    const row = await ground.database.db
      .selectFrom('tokens')
      .selectAll()
      .where('id', '=', token.id)
      .executeTakeFirstOrThrow();
    expect(JSON.stringify({ ...row, secret_hash: Buffer.from(row.secret_hash).toString('latin1') })).not.toContain(
      secret.slice(4, 20),
    );
  });

  test('what is no token is malformed, what was never given out is unknown', async () => {
    expect(await keystore.tokens.verify('')).toEqual({ ok: false, code: 'token.malformed' });
    expect(await keystore.tokens.verify(`${generateTokenSecret()}x`)).toEqual({ ok: false, code: 'token.malformed' });
    expect(await keystore.tokens.verify(generateTokenSecret())).toEqual({ ok: false, code: 'token.unknown' });
  });

  test('an unknown token that is made afterwards is known at once', async () => {
    const file = join(folder.path, 'token');
    const secret = generateTokenSecret();
    expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: false });
    await writeFile(file, secret, { mode: 0o600 });
    await keystore.ensureAdminToken({ file });
    expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: true });
  });

  test('expiry is exact although verifications are remembered', async () => {
    const expiresAt = new Date(clock.getTime() + 5_000);
    const { secret } = await keystore.tokens.create({ name: 'x', scopes: ['sign'], expiresAt });
    pass(4_999);
    expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: true });
    pass(1);
    expect(await keystore.tokens.verify(secret)).toEqual({ ok: false, code: 'token.expired' });
  });

  test('a revoked token is refused here at once, elsewhere within ten seconds', async () => {
    const { token, secret } = await keystore.tokens.create({ name: 'x', scopes: ['sign'] });
    expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: true });
    expect(await other.tokens.verify(secret)).toMatchObject({ ok: true });
    const revokedAt = clock;
    expect(await keystore.tokens.revoke(token.id)).toMatchObject({ revokedAt });
    expect(await keystore.tokens.verify(secret)).toEqual({ ok: false, code: 'token.revoked' });
    pass(9_999);
    expect(await other.tokens.verify(secret)).toMatchObject({ ok: true });
    pass(1);
    expect(await other.tokens.verify(secret)).toEqual({ ok: false, code: 'token.revoked' });
    expect(await keystore.tokens.revoke(token.id)).toMatchObject({ revokedAt });
  });

  test('the last use is noted at most once a minute', async () => {
    const { token, secret } = await keystore.tokens.create({ name: 'x', scopes: ['sign'] });
    const noted = async (): Promise<Date | null> => {
      const row = await ground.database.db
        .selectFrom('tokens')
        .select('last_used_at')
        .where('id', '=', token.id)
        .executeTakeFirstOrThrow();
      return row.last_used_at;
    };
    const first = clock;
    await keystore.tokens.verify(secret);
    expect(await noted()).toEqual(first);
    pass(59_999);
    await keystore.tokens.verify(secret);
    await other.tokens.verify(secret);
    expect(await noted()).toEqual(first);
    pass(1);
    await other.tokens.verify(secret);
    expect(await noted()).toEqual(clock);
  });

  test.each<[string, object]>([
    ['no name', { name: '' }],
    ['a name that is too long', { name: 'x'.repeat(201) }],
    ['no scope', { scopes: [] }],
    ['a scope that is none', { scopes: ['sign', 'root'] }],
    ['no domain', { domains: [] }],
    ['too many domains', { domains: Array.from({ length: 1001 }, (_, n) => `d${n}.example`) }],
    ['an expiry in the past', { expiresAt: new Date('2020-01-01') }],
  ])('%s: refused', async (_, wrong) => {
    const scopes: TokenScope[] = ['sign'];
    await expect(keystore.tokens.create({ name: 'x', scopes, ...wrong })).rejects.toEqual(
      rejection('keystore.token-invalid'),
    );
  });

  test('a domain that is none: refused', async () => {
    const attempt = keystore.tokens.create({ name: 'x', scopes: ['sign'], domains: ['a b'] });
    await expect(attempt).rejects.toEqual(rejection('keystore.domain-invalid'));
  });

  test.each(['x', randomUUID()])('revoking %j, which is none: refused', async (id) => {
    await expect(keystore.tokens.revoke(id)).rejects.toEqual(rejection('keystore.token-unknown'));
  });

  test('are listed page by page in the order of their creation', async () => {
    const made: string[] = [];
    for (const name of ['c', 'b', 'a']) {
      pass(1);
      made.push((await keystore.tokens.create({ name, scopes: ['sign'] })).token.id);
    }
    const listed: Token[] = [];
    for (let after: string | null | undefined; after !== null;) {
      const page = await keystore.tokens.list({ limit: 3, ...(after === undefined ? {} : { after }) });
      listed.push(...page.items);
      after = page.next;
    }
    expect(listed.slice(-3).map((token) => token.id)).toEqual(made);
    expect(new Set(listed.map((token) => token.id)).size).toBe(listed.length);
  });

  describe('the admin token', () => {
    test('is made on the first start in a file of mode 0600, and found again', async () => {
      const file = join(folder.path, 'data', 'admin-token');
      expect(await keystore.ensureAdminToken({ file })).toEqual({ created: true });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const secret = (await readFile(file, 'utf8')).trimEnd();
      expect(await keystore.tokens.verify(secret)).toMatchObject({
        ok: true,
        token: { name: 'admin', scopes: ['admin'] },
      });
      expect(await other.ensureAdminToken({ file })).toEqual({ created: false });
      expect((await readFile(file, 'utf8')).trimEnd()).toBe(secret);
    });

    test('two processes that start at the same time make one', async () => {
      const file = join(folder.path, 'admin-token');
      const outcomes = await Promise.all([keystore.ensureAdminToken({ file }), other.ensureAdminToken({ file })]);
      expect(outcomes.filter((outcome) => outcome.created)).toHaveLength(1);
      expect(await keystore.tokens.verify((await readFile(file, 'utf8')).trimEnd())).toMatchObject({ ok: true });
    });

    test('is taken from a file that is there, or known by its hash', async () => {
      const file = join(folder.path, 'admin-token');
      const [first, second] = [generateTokenSecret(), generateTokenSecret()];
      await writeFile(file, `${first}\n`, { mode: 0o440 });
      await keystore.ensureAdminToken({ file });
      await keystore.ensureAdminToken({ sha256: sha256(second).toUpperCase() });
      for (const secret of [first, second]) expect(await keystore.tokens.verify(secret)).toMatchObject({ ok: true });
    });

    test('stays revoked once it was', async () => {
      const file = join(folder.path, 'admin-token');
      await keystore.ensureAdminToken({ file });
      const secret = (await readFile(file, 'utf8')).trimEnd();
      const verified = await keystore.tokens.verify(secret);
      await keystore.tokens.revoke(verified.ok ? verified.token.id : '');
      expect(await keystore.ensureAdminToken({ file })).toEqual({ created: false });
      expect(await keystore.tokens.verify(secret)).toEqual({ ok: false, code: 'token.revoked' });
    });

    test('a file that holds something else, or that others can read, is refused', async () => {
      const file = join(folder.path, 'admin-token');
      await writeFile(file, 'hunter2', { mode: 0o600 });
      await expect(keystore.ensureAdminToken({ file })).rejects.toEqual(rejection('keystore.admin-token-malformed'));
      await chmod(file, 0o644);
      await expect(keystore.ensureAdminToken({ file })).rejects.toEqual(rejection('keystore.secret-exposed'));
      await expect(keystore.ensureAdminToken({ sha256: 'x' })).rejects.toEqual(
        rejection('keystore.admin-token-malformed'),
      );
    });
  });
});

function token(scopes: TokenScope[], domains: string[] | null): Token {
  return {
    id: randomUUID(),
    name: 'x',
    scopes,
    domains,
    createdAt: new Date(0),
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  };
}

describe('tokenAllows', () => {
  test.each<[TokenScope[], string[] | null, TokenScope, string | undefined, boolean]>([
    [['sign'], null, 'sign', 'example.org', true],
    [['sign'], null, 'verify', undefined, false],
    [['sign'], ['example.org'], 'sign', 'example.org', true],
    [['sign'], ['example.org'], 'sign', 'sub.example.org', false],
    [['sign'], ['example.org'], 'sign', undefined, true],
    [['admin'], null, 'keys:write', 'example.org', true],
    [['admin'], ['example.org'], 'keys:write', 'example.net', false],
  ])('%j for %j: %s on %s is %s', (scopes, domains, scope, domain, allowed) => {
    expect(tokenAllows(token(scopes, domains), scope, domain)).toBe(allowed);
  });
});
