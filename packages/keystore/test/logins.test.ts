import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keystoreLimits, loadMasterKey, openKeystore } from '../src/index.ts';
import type { Keystore } from '../src/index.ts';
import { grounds } from './grounds.ts';
import type { Ground } from './grounds.ts';

const rejection = (code: string) => expect.objectContaining({ code });

describe.each(grounds)('logins on %s', (_, open) => {
  let ground: Ground;
  let clock = new Date('2026-01-01T00:00:00Z');
  let keystore: Keystore;
  let other: Keystore;

  beforeAll(async () => {
    ground = await open();
    const masterKey = await loadMasterKey({ value: randomBytes(32).toString('base64') });
    keystore = await openKeystore({ database: ground.database, masterKey, now: () => clock });
    other = await openKeystore({ database: ground.other, masterKey, now: () => clock });
  });

  afterAll(() => ground[Symbol.asyncDispose]());

  test('are found without case: the login itself, everyone at its domain, everyone', async () => {
    const { logins } = keystore;
    expect(await logins.entriesOf('ann@example.org')).toBeNull();
    await logins.set('*', ['a.example']);
    expect(await logins.entriesOf('ann@example.org')).toEqual(['a.example']);
    await logins.set('*@Example.org', ['b.example']);
    expect(await logins.entriesOf('ann@example.org')).toEqual(['b.example']);
    await logins.set('Ann@example.org', []);
    expect(await logins.entriesOf('ANN@example.org')).toEqual([]);
    expect((await logins.list()).items.map(({ login }) => login)).toEqual(['*', '*@example.org', 'ann@example.org']);
    await logins.delete('ann@EXAMPLE.org');
    expect(await logins.entriesOf('ann@example.org')).toEqual(['b.example']);
    await expect(logins.delete('ann@example.org')).rejects.toEqual(rejection('keystore.login-unknown'));
  });

  test('a change by another process is seen within ten seconds', async () => {
    await keystore.logins.set('bob', ['a.example']);
    expect(await other.logins.entriesOf('bob')).toEqual(['a.example']);
    const changed = await keystore.logins.set('bob', ['b.example']);
    expect(changed.authors).toEqual(['b.example']);
    clock = new Date(clock.getTime() + keystoreLimits.cacheTtlMs);
    expect(await other.logins.entriesOf('bob')).toEqual(['b.example']);
  });

  test('pages go on where the last one ended', async () => {
    await keystore.logins.set('zoe', ['a.example']);
    const first = await keystore.logins.list({ limit: 1 });
    const rest = await keystore.logins.list({ after: first.next ?? '' });
    expect([...first.items, ...rest.items]).toEqual((await keystore.logins.list()).items);
  });

  test('and authors that are none are refused', async () => {
    const { logins } = keystore;
    for (const login of ['', 'a\0', 'a\nb', '\uD800', 'a'.repeat(keystoreLimits.maxLoginLength + 1)]) {
      await expect(logins.set(login, [])).rejects.toEqual(rejection('keystore.login-invalid'));
      // What cannot be stored is found only under the entry for everyone.
      expect(await logins.entriesOf(login)).toEqual(['a.example']);
      await expect(logins.delete(login)).rejects.toEqual(rejection('keystore.login-unknown'));
    }
    for (const login of ['', 'a\0', 'a\nb']) {
      const after = Buffer.from(login).toString('base64url');
      await expect(logins.list({ after })).rejects.toEqual(rejection('keystore.page-invalid'));
    }
    for (const author of ['not a domain', 'a\0@b.example', 'a\nb@b.example', '\uD800@b.example']) {
      await expect(logins.set('a', [author])).rejects.toEqual(rejection('keystore.login-invalid'));
    }
    const many = Array.from({ length: keystoreLimits.maxLoginAuthors + 1 }, () => 'a.example');
    await expect(logins.set('a', many)).rejects.toEqual(rejection('keystore.login-invalid'));
  });
});
