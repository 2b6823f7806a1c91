import { createHash, createPublicKey, generateKeyPairSync, randomBytes, randomUUID, verify } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { parseKeyRecord } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { temporaryFolder } from '@zegel/test-harness';
import type { TemporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureMasterKey, loadMasterKey, openKeystore } from '../src/index.ts';
import type { DkimKey, Keystore, MasterKey } from '../src/index.ts';
import { grounds } from './grounds.ts';
import type { Ground } from './grounds.ts';

const freshMasterKey = (): Promise<MasterKey> => loadMasterKey({ value: randomBytes(32).toString('base64') });
const rejection = (code: string) => expect.objectContaining({ code });
const rsaPem = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

function selectors(keys: readonly SigningKey[] | null): string[] | undefined {
  return keys?.map((key) => key.selector);
}

describe.each(grounds)('a keystore on %s', (_, open) => {
  let ground: Ground;
  let folder: TemporaryFolder;
  let masterKey: MasterKey;
  let clock: Date;
  let keystore: Keystore;
  /** The keystore of another process. */
  let other: Keystore;
  /** A domain of this test alone. */
  let domain: string;

  const now = (): Date => clock;
  const masterKeyFile = (): string => join(folder.path, 'master-key');
  const pass = (milliseconds: number): void => void (clock = new Date(clock.getTime() + milliseconds));

  beforeAll(async () => {
    ground = await open();
    folder = temporaryFolder('keystore');
    masterKey = await ensureMasterKey(ground.database, { file: masterKeyFile() });
    clock = new Date('2026-01-01T00:00:00Z');
    keystore = await openKeystore({ database: ground.database, masterKey, now });
    other = await openKeystore({ database: ground.other, masterKey, now });
  });

  afterAll(async () => {
    folder.remove();
    await ground[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    domain = `d${randomUUID()}.example`;
    await keystore.domains.create(domain);
  });

  const ed25519 = (selector: string): Promise<DkimKey> =>
    keystore.keys.create(domain, { selector, algorithm: 'ed25519-sha256' });
  const activate = async (key: DkimKey): Promise<DkimKey> => {
    await keystore.keys.changeState(key.id, 'published');
    return (await keystore.keys.changeState(key.id, 'active')).key;
  };

  // What is stored for a private key.
  const stored = async (id: string): Promise<Buffer> => {
    const row = await ground.database.db
      .selectFrom('keys')
      .select('wrapped_key')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return Buffer.from(row.wrapped_key);
  };
  const store = async (id: string, sealed: Uint8Array): Promise<void> => {
    await ground.database.db.updateTable('keys').set({ wrapped_key: sealed }).where('id', '=', id).execute();
    pass(10_000);
  };

  describe('domains', () => {
    test('are stored in lower case as A-labels, and found in any form', async () => {
      const label = randomUUID();
      expect((await keystore.domains.create(`Bücher-${label}.Example.`)).name).toMatch(/^xn--.*\.example$/);
      expect(await keystore.domains.get(`BÜCHER-${label}.example`)).not.toBeNull();
      await expect(keystore.domains.create(`bücher-${label}.example`)).rejects.toEqual(
        rejection('keystore.domain-exists'),
      );
    });

    test.each([
      '',
      'localhost',
      'a b.example',
      'a..example',
      `${'a'.repeat(64)}.example`,
      'x@y.example',
      '"\0".example',
    ])('%j is no domain name', async (name) => {
      await expect(keystore.domains.create(name)).rejects.toEqual(rejection('keystore.domain-invalid'));
      expect(await keystore.domains.get(name)).toBeNull();
    });

    test('are listed page by page in the order of their names', async () => {
      const names = ['a', 'b', 'c', 'd', 'e'].map((label) => `${label}.${domain}`);
      for (const name of names.toReversed()) await keystore.domains.create(name);
      const first = await keystore.domains.list({ limit: 2, among: names });
      expect(first.items.map((item) => item.name)).toEqual(names.slice(0, 2));
      // What comes and goes meanwhile shifts nothing.
      await keystore.domains.delete(`a.${domain}`);
      const second = await keystore.domains.list({ limit: 2, among: names, after: first.next ?? '' });
      expect(second.items.map((item) => item.name)).toEqual(names.slice(2, 4));
      const third = await keystore.domains.list({ limit: 2, among: names, after: second.next ?? '' });
      expect(third).toEqual({ items: [expect.objectContaining({ name: names[4] })], next: null });
      expect((await keystore.domains.list({ among: [] })).items).toEqual([]);
    });

    test.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { after: 'x' }, { after: '' }])(
      'the page %j is refused',
      async (request) => {
        await expect(keystore.domains.list(request)).rejects.toEqual(rejection('keystore.page-invalid'));
      },
    );

    test.each([
      '2026-99-99T99:99:99.999Z',
      '2026-02-30T00:00:00.000Z',
      '2026-01-01T24:00:00.000Z',
      '0000-01-01T00:00:00.000Z',
      'yesterday',
    ])('a page after %j is refused: there is no such time', async (time) => {
      const after = Buffer.from(`${time}\n${randomUUID()}`).toString('base64url');
      await expect(keystore.keys.list(domain, { after })).rejects.toEqual(rejection('keystore.page-invalid'));
      await expect(keystore.tokens.list({ after })).rejects.toEqual(rejection('keystore.page-invalid'));
    });

    test('with an active key are not deleted', async () => {
      const key = await activate(await ed25519('s1'));
      await expect(keystore.domains.delete(domain)).rejects.toEqual(rejection('keystore.domain-in-use'));
      await keystore.keys.changeState(key.id, 'retiring');
      await keystore.domains.delete(domain);
      expect(await keystore.keys.get(key.id)).toBeNull();
      await expect(keystore.domains.delete(domain)).rejects.toEqual(rejection('keystore.domain-unknown'));
    });
  });

  describe('keys', () => {
    test('a generated RSA key has 2048 bits and a record that parses', async () => {
      const key = await keystore.keys.create(domain, { selector: 'RSA1', algorithm: 'rsa-sha256' });
      expect(key).toMatchObject({ selector: 'rsa1', algorithm: 'rsa-sha256', bits: 2048, state: 'pending' });
      expect(key.record?.name).toBe(`rsa1._domainkey.${domain}`);
      expect(parseKeyRecord(key.record?.text ?? '')).toMatchObject({ ok: true, record: { keyType: 'rsa' } });
      expect(await keystore.keys.get(key.id)).toEqual(key);
    });

    test('an imported key signs with the private half that was given', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      await activate(await keystore.keys.import(domain, { selector: 's1', pem }));
      const [key] = (await keystore.activeKeys(domain)) ?? [];
      const data = Buffer.from('data');
      const signature = await key!.sign(data);
      expect(verify(null, createHash('sha256').update(data).digest(), publicKey, signature)).toBe(true);
    });

    test('a key is not imported as one for another algorithm', async () => {
      const key = { selector: 's1', pem: rsaPem(1024) };
      await expect(keystore.keys.import(domain, { ...key, algorithm: 'ed25519-sha256' })).rejects.toEqual(
        rejection('keystore.algorithm-mismatch'),
      );
      const { algorithm } = await keystore.keys.import(domain, { ...key, algorithm: 'rsa-sha256' });
      expect(algorithm).toBe('rsa-sha256');
    });

    test('what is unfit is not imported', async () => {
      const { privateKey } = generateKeyPairSync('ed25519');
      const encrypted = privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' });
      const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' });
      const attempt = (pem: string): Promise<DkimKey> => keystore.keys.import(domain, { selector: 's1', pem });
      await expect(attempt('')).rejects.toEqual(rejection('keystore.key-unreadable'));
      await expect(attempt('x'.repeat(20_000))).rejects.toEqual(rejection('keystore.key-unreadable'));
      await expect(attempt(encrypted.toString())).rejects.toEqual(rejection('keystore.key-unreadable'));
      await expect(
        attempt(createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString()),
      ).rejects.toEqual(rejection('keystore.key-unreadable'));
      await expect(attempt(rsaPem(512))).rejects.toEqual(rejection('dkim.key-too-short'));
      await expect(attempt(ec.toString())).rejects.toEqual(rejection('dkim.key-type-unsupported'));
      expect((await keystore.keys.list(domain)).items).toEqual([]);
    });

    test.each(['', '-a', 'a_b', 'a b', 'é', 'a..b', `${'a'.repeat(63)}.`.repeat(4) + 'a'])(
      '%j is no selector',
      async (selector) => {
        await expect(ed25519(selector)).rejects.toEqual(rejection('keystore.selector-invalid'));
      },
    );

    test('a selector is used once, whatever became of its key', async () => {
      const key = await ed25519('s1');
      await expect(ed25519('S1')).rejects.toEqual(rejection('keystore.selector-in-use'));
      await keystore.keys.changeState(key.id, 'deleted');
      await expect(ed25519('s1')).rejects.toEqual(rejection('keystore.selector-in-use'));
    });

    test('other mistakes', async () => {
      const options = { selector: 's1', algorithm: 'rsa-sha256' } as const;
      await expect(keystore.keys.create(`no.${domain}`, options)).rejects.toEqual(rejection('keystore.domain-unknown'));
      await expect(keystore.keys.list(`no.${domain}`)).rejects.toEqual(rejection('keystore.domain-unknown'));
      await expect(keystore.keys.create(domain, { ...options, modulusLength: 1024 })).rejects.toEqual(
        rejection('keystore.key-size-unsupported'),
      );
      await expect(keystore.keys.changeState(randomUUID(), 'active')).rejects.toEqual(
        rejection('keystore.key-unknown'),
      );
      await expect(keystore.keys.changeState("' or 1=1", 'active')).rejects.toEqual(rejection('keystore.key-unknown'));
      expect(await keystore.keys.get('x')).toBeNull();
    });

    test('are listed page by page in the order of their creation', async () => {
      const made: string[] = [];
      for (const selector of ['z', 'y', 'x']) {
        pass(1);
        made.push((await ed25519(selector)).id);
      }
      const first = await keystore.keys.list(domain, { limit: 2 });
      const second = await keystore.keys.list(domain, { limit: 2, after: first.next ?? '' });
      expect([...first.items, ...second.items].map((key) => key.id)).toEqual(made);
      expect(second.next).toBeNull();
    });
  });

  describe('the life of a key', () => {
    test('pending → published → active → retiring → revoked → deleted', async () => {
      const { id } = await ed25519('s1');
      for (const state of ['published', 'active', 'retiring'] as const) {
        pass(1000);
        const { key } = await keystore.keys.changeState(id, state);
        expect(key).toMatchObject({ state, stateChangedAt: clock });
        expect(key.record?.text).toMatch(/ p=.{44}$/);
      }
      const { key: revoked } = await keystore.keys.changeState(id, 'revoked');
      expect(revoked.record?.text).toBe('v=DKIM1; k=ed25519; p=');
      const { key: deleted } = await keystore.keys.changeState(id, 'deleted');
      expect(deleted.record).toBeNull();
    });

    test.each([
      ['pending', 'active'],
      ['pending', 'pending'],
      ['pending', 'retiring'],
      ['pending', 'revoked'],
      ['deleted', 'pending'],
      ['deleted', 'active'],
    ] as const)('not from %s to %s', async (from, to) => {
      const key = await ed25519('s1');
      if (from === 'deleted') await keystore.keys.changeState(key.id, 'deleted');
      await expect(keystore.keys.changeState(key.id, to)).rejects.toEqual(rejection('keystore.state-change-illegal'));
    });

    test.each(['revoked', 'deleted'] as const)('%s: the private bytes are gone from the database', async (state) => {
      const key = await ed25519('s1');
      if (state === 'revoked') {
        await activate(key);
        await keystore.keys.changeState(key.id, 'retiring');
      }
      await keystore.keys.changeState(key.id, state);
      const row = await ground.database.db
        .selectFrom('keys')
        .select('wrapped_key')
        .where('id', '=', key.id)
        .executeTakeFirstOrThrow();
      expect(row.wrapped_key).toHaveLength(0);
    });

    test('a key that becomes active retires the one of its algorithm, and can be rolled back', async () => {
      const old = await activate(await ed25519('s1'));
      const rsa = await activate(await keystore.keys.import(domain, { selector: 'r1', pem: rsaPem(1024) }));
      const fresh = await ed25519('s2');
      await keystore.keys.changeState(fresh.id, 'published');
      const change = await keystore.keys.changeState(fresh.id, 'active');
      expect(change.replaced).toMatchObject({ id: old.id, state: 'retiring' });
      expect(selectors(await keystore.activeKeys(domain))).toEqual(['r1', 's2']);
      const back = await keystore.keys.changeState(old.id, 'active');
      expect(back.replaced).toMatchObject({ id: fresh.id, state: 'retiring' });
      expect(selectors(await keystore.activeKeys(domain))).toEqual(['r1', 's1']);
      expect((await keystore.keys.get(rsa.id))?.state).toBe('active');
    });

    test('two processes that activate at the same time leave one active key', async () => {
      const keys = [await ed25519('s1'), await ed25519('s2')];
      for (const key of keys) await keystore.keys.changeState(key.id, 'published');
      await Promise.all([
        keystore.keys.changeState(keys[0]!.id, 'active'),
        other.keys.changeState(keys[1]!.id, 'active'),
      ]);
      pass(10_000);
      expect(await keystore.activeKeys(domain)).toHaveLength(1);
    });
  });

  describe('active keys', () => {
    test('null for a domain that is not known, empty for one without an active key', async () => {
      expect(await keystore.activeKeys(`no.${domain}`)).toBeNull();
      await ed25519('s1');
      expect(await keystore.activeKeys(domain)).toEqual([]);
    });

    test('a change made here counts at once', async () => {
      expect(await keystore.activeKeys(domain)).toEqual([]);
      const key = await activate(await ed25519('s1'));
      expect(selectors(await keystore.activeKeys(domain))).toEqual(['s1']);
      await keystore.keys.changeState(key.id, 'retiring');
      expect(await keystore.activeKeys(domain)).toEqual([]);
      await keystore.domains.delete(domain);
      expect(await keystore.activeKeys(domain)).toBeNull();
      await keystore.domains.create(domain);
      expect(await keystore.activeKeys(domain)).toEqual([]);
    });

    test('a change made by another process counts within ten seconds', async () => {
      const key = await activate(await ed25519('s1'));
      expect(selectors(await other.activeKeys(domain))).toEqual(['s1']);
      await keystore.keys.changeState(key.id, 'retiring');
      pass(9_999);
      expect(selectors(await other.activeKeys(domain))).toEqual(['s1']);
      pass(1);
      expect(await other.activeKeys(domain)).toEqual([]);
    });
  });

  describe('encryption at rest', () => {
    test('the database never sees the private key', async () => {
      const { privateKey } = generateKeyPairSync('ed25519');
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
      const key = await keystore.keys.import(domain, { selector: 's1', pem });
      expect((await stored(key.id)).includes(seed)).toBe(false);
    });

    test('a changed bit anywhere is noticed', async () => {
      const key = await activate(await ed25519('s1'));
      const sealed = await stored(key.id);
      for (const at of [0, 9, 21, 60, 69, 81, sealed.length - 1]) {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        await store(key.id, changed);
        await expect(keystore.activeKeys(domain)).rejects.toEqual(rejection('keystore.key-tampered'));
      }
      for (const length of [0, 1, 68, sealed.length - 1]) {
        await store(key.id, sealed.subarray(0, length));
        await expect(keystore.activeKeys(domain)).rejects.toEqual(rejection('keystore.key-tampered'));
      }
      await store(key.id, sealed);
      expect(selectors(await keystore.activeKeys(domain))).toEqual(['s1']);
    });

    test('a blob that is moved to another key does not open', async () => {
      const mine = await activate(await ed25519('s1'));
      const theirs = await ed25519('s2');
      await store(mine.id, await stored(theirs.id));
      await expect(keystore.activeKeys(domain)).rejects.toEqual(rejection('keystore.key-tampered'));
    });
  });

  // Changes the master key of the whole database, so it comes last.
  describe('the master key', () => {
    test('is made on the first start only: a lost one is not replaced', async () => {
      const source = { file: masterKeyFile() };
      expect((await ensureMasterKey(ground.database, source)).id).toBe(masterKey.id);
      await rename(source.file, `${source.file}.lost`);
      const lost = ensureMasterKey(ground.database, source);
      await expect(lost).rejects.toEqual(rejection('keystore.master-key-missing'));
      await expect(lost).rejects.toThrow(masterKey.id);
      await rename(`${source.file}.lost`, source.file);
      expect((await ensureMasterKey(ground.database, source)).id).toBe(masterKey.id);
    });

    test('another one does not open the keystore', async () => {
      const wrong = await freshMasterKey();
      const attempt = openKeystore({ database: ground.database, masterKey: wrong });
      await expect(attempt).rejects.toEqual(rejection('keystore.master-key-mismatch'));
    });

    test('one that only claims the right id does not open it either', async () => {
      const forged = { id: masterKey.id, key: (await freshMasterKey()).key };
      const attempt = openKeystore({ database: ground.database, masterKey: forged });
      await expect(attempt).rejects.toEqual(rejection('keystore.master-key-mismatch'));
    });

    test('rewrap changes it for all keys or for none', async () => {
      const broken = await ed25519('s0');
      await store(broken.id, Buffer.from('no key'));
      await expect(keystore.rewrap(await freshMasterKey())).rejects.toEqual(rejection('keystore.key-tampered'));
      await expect(openKeystore({ database: ground.database, masterKey })).resolves.toBeDefined();

      await keystore.keys.changeState(broken.id, 'deleted');
      await ground.database.db.deleteFrom('domains').where('name', '<>', domain).execute();
      const key = await activate(await ed25519('s1'));
      const gone = await ed25519('s2');
      await keystore.keys.changeState(gone.id, 'deleted');
      const next = await freshMasterKey();
      expect(await keystore.rewrap(next)).toBe(1);

      await expect(openKeystore({ database: ground.database, masterKey })).rejects.toEqual(
        rejection('keystore.master-key-mismatch'),
      );
      const reopened = await openKeystore({ database: ground.database, masterKey: next, now });
      const [signing] = (await reopened.activeKeys(domain)) ?? [];
      await expect(signing!.sign(Buffer.from('data'))).resolves.toHaveLength(64);
      expect(signing!.selector).toBe(key.selector);
      pass(10_000);
      expect(selectors(await keystore.activeKeys(domain))).toEqual(['s1']);

      // The other process still has the old one: it neither reads nor writes under it.
      await expect(other.activeKeys(domain)).rejects.toEqual(rejection('keystore.master-key-mismatch'));
      await expect(other.keys.create(domain, { selector: 's9', algorithm: 'ed25519-sha256' })).rejects.toEqual(
        rejection('keystore.master-key-mismatch'),
      );
    });
  });
});
