import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Database, KeyState, Schema } from '@zegel/database';
import { createSigningKey, formatKeyRecord, generateKeyPair, isSelector, keyRecordName } from '@zegel/dkim';
import type { SigningAlgorithm, SigningKey } from '@zegel/dkim';
import { sql } from 'kysely';
import type { Kysely, Selectable } from 'kysely';
import { requireDomain, unknownDomain } from './domains.ts';
import { KeystoreError } from './errors.ts';
import { hasPrivateKey, nextKeyStates } from './key-state.ts';
import { keystoreLimits } from './limits.ts';
import { holdMasterKey } from './master-key-check.ts';
import type { MasterKey } from './master-key.ts';
import { UUID, pageOf, pageSize, readCursor, timeCursor, timePosition } from './page.ts';
import type { Page, PageRequest } from './page.ts';
import { openPrivateKey, sealPrivateKey } from './sealed-key.ts';

/** What may be known about a DKIM key. The private half never leaves the keystore but as a {@link SigningKey}. */
export interface DkimKey {
  /** A UUID. */
  readonly id: string;
  readonly domain: string;
  /** In lower case. */
  readonly selector: string;
  readonly algorithm: SigningAlgorithm;
  /** Bits of the RSA modulus; 256 for Ed25519. */
  readonly bits: number;
  readonly state: KeyState;
  /** The TXT record that is to stand in DNS in this state; null when none is. */
  readonly record: { readonly name: string; readonly text: string } | null;
  readonly createdAt: Date;
  readonly stateChangedAt: Date;
}

/** The key pairs of a keystore. */
export interface Keys {
  /**
   * Generates a key, `pending`. `modulusLength` is for RSA, 2048 (the default) to 4096 bits.
   *
   * @throws {KeystoreError} `keystore.domain-unknown`, `keystore.selector-invalid`, `keystore.selector-in-use`,
   *   `keystore.key-size-unsupported`, `keystore.too-many-keys`
   */
  create(
    domain: string,
    options: { readonly selector: string; readonly algorithm: SigningAlgorithm; readonly modulusLength?: number },
  ): Promise<DkimKey>;
  /**
   * Takes in a private key (PEM, PKCS#8 or PKCS#1, not encrypted), `pending`. It must be for `algorithm` where that is given.
   *
   * @throws {KeystoreError} as {@link Keys.create}, and `keystore.key-unreadable`, `keystore.algorithm-mismatch`
   * @throws {SigningKeyError} of @zegel/dkim for a key that is not fit for DKIM
   */
  import(
    domain: string,
    options: { readonly selector: string; readonly pem: string; readonly algorithm?: SigningAlgorithm },
  ): Promise<DkimKey>;
  /** Null when there is none of that id. */
  get(id: string): Promise<DkimKey | null>;
  /** Keys of a domain by age, deleted ones too. @throws {KeystoreError} `keystore.domain-unknown`, `keystore.page-invalid` */
  list(domain: string, request?: PageRequest): Promise<Page<DkimKey>>;
  /**
   * Moves a key on in its life, or from `retiring` back to `active`. A domain has at most one active key an algorithm,
   * so that a message gets one RSA and one Ed25519 signature: making a key active makes the one it takes over from
   * `retiring`, in one step; that one is `replaced`.
   *
   * @throws {KeystoreError} `keystore.key-unknown`, `keystore.state-change-illegal`
   */
  changeState(id: string, to: KeyState): Promise<{ readonly key: DkimKey; readonly replaced: DkimKey | null }>;
}

type Row = Selectable<Schema['keys']>;

/** What the keys of a keystore are kept with; `changed` hears of every domain whose active keys may be others now. */
export interface KeysContext {
  readonly now: () => Date;
  readonly masterKey: () => MasterKey;
  readonly changed: (domain: string) => void;
}

export function createKeys({ db }: Database, { now, masterKey, changed }: KeysContext): Keys {
  const store = async (
    domain: string,
    selector: string,
    privateKey: KeyObject,
    wanted?: SigningAlgorithm,
  ): Promise<DkimKey> => {
    const { algorithm } = createSigningKey({ domain, selector, privateKey });
    if (wanted !== undefined && wanted !== algorithm) {
      throw new KeystoreError('keystore.algorithm-mismatch', `the key is for ${algorithm}, not for ${wanted}`);
    }
    const identity = { id: randomUUID(), domain, selector };
    const sealedUnder = masterKey();
    const at = now();
    const row = {
      ...identity,
      algorithm,
      state: 'pending' as const,
      public_key: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
      wrapped_key: sealPrivateKey(privateKey, identity, sealedUnder),
      created_at: at,
      state_changed_at: at,
    };
    return db.transaction().execute(async (trx) => {
      await holdMasterKey(trx, sealedUnder, 'share');
      await lockDomain(trx, domain);
      await requireRoom(trx, domain);
      const created = await trx
        .insertInto('keys')
        .values(row)
        .onConflict((conflict) => conflict.columns(['domain', 'selector']).doNothing())
        .returningAll()
        .executeTakeFirst();
      if (created === undefined) {
        throw new KeystoreError(
          'keystore.selector-in-use',
          `${domain} has, or has had, a key ${selector}: take another selector`,
        );
      }
      return toKey(created);
    });
  };

  return {
    async create(domain, { selector, algorithm, modulusLength }) {
      const name = await requireKnownDomain(db, domain);
      const label = requireSelector(selector, name);
      const { minGeneratedRsaBits: least, maxGeneratedRsaBits: most } = keystoreLimits;
      const bits = modulusLength ?? least;
      if (!Number.isInteger(bits) || bits < least || bits > most) {
        throw new KeystoreError('keystore.key-size-unsupported', `an RSA key is made with ${least} to ${most} bits`);
      }
      const { privateKey } = await generateKeyPair(algorithm, { modulusLength: bits });
      return store(name, label, privateKey);
    },

    async import(domain, { selector, pem, algorithm }) {
      const name = await requireKnownDomain(db, domain);
      const label = requireSelector(selector, name);
      return store(name, label, readPem(pem), algorithm);
    },

    async get(id) {
      if (!UUID.test(id)) return null;
      const row = await db.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : toKey(row);
    },

    async list(domain, request = {}) {
      const size = pageSize(request);
      const after = readCursor(request.after, timeCursor);
      const name = await requireKnownDomain(db, domain);
      const rows = await db
        .selectFrom('keys')
        .selectAll()
        .where('domain', '=', name)
        .$if(after !== null, (query) =>
          query.where(sql<boolean>`(created_at, id) > (${after?.[0]}::timestamptz, ${after?.[1]}::uuid)`),
        )
        .orderBy('created_at')
        .orderBy('id')
        .limit(size + 1)
        .execute();
      return pageOf(rows.map(toKey), size, ({ createdAt, id }) => timePosition(createdAt, id));
    },

    async changeState(id, to) {
      if (!UUID.test(id)) throw unknownKey(id);
      const found = await db.selectFrom('keys').select('domain').where('id', '=', id).executeTakeFirst();
      if (found === undefined) throw unknownKey(id);
      const outcome = await db.transaction().execute(async (trx) => {
        // Changes of one domain's keys go one after the other, so that never two become active.
        await lockDomain(trx, found.domain);
        const row = await trx.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
        if (row === undefined) throw unknownKey(id);
        requireNext(row, to);
        const replaced = to === 'active' ? await retire(trx, row, now()) : undefined;
        const updated = await trx
          .updateTable('keys')
          .set({
            state: to,
            state_changed_at: now(),
            ...(hasPrivateKey(to) ? {} : { wrapped_key: Buffer.alloc(0) }),
          })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        return { key: toKey(updated), replaced: replaced === undefined ? null : toKey(replaced) };
      });
      changed(found.domain);
      return outcome;
    },
  };
}

/**
 * The keys a domain signs with, RSA first: verifiers that look at one signature only look at the top one, and not all
 * know Ed25519. Null when the domain is not known.
 *
 * @throws {KeystoreError} `keystore.key-tampered`, `keystore.master-key-mismatch`: signing with fewer keys than meant
 *   would go unnoticed
 */
export async function loadActiveKeys(
  { db }: Database,
  masterKey: MasterKey,
  domain: string,
): Promise<readonly SigningKey[] | null> {
  const rows = await db
    .selectFrom('domains')
    .leftJoin('keys', (join) => join.onRef('keys.domain', '=', 'domains.name').on('keys.state', '=', 'active'))
    .select(['keys.id', 'keys.selector', 'keys.wrapped_key'])
    .where('domains.name', '=', domain)
    .orderBy('keys.algorithm', 'desc')
    .execute();
  if (rows.length === 0) return null;
  const keys: SigningKey[] = [];
  for (const { id, selector, wrapped_key: sealed } of rows) {
    if (id === null || selector === null || sealed === null) continue;
    const privateKey = openPrivateKey(sealed, { id, domain, selector }, masterKey);
    keys.push(createSigningKey({ domain, selector, privateKey }));
  }
  return keys;
}

async function requireKnownDomain(db: Kysely<Schema>, domain: string): Promise<string> {
  const name = requireDomain(domain);
  const row = await db.selectFrom('domains').select('name').where('name', '=', name).executeTakeFirst();
  if (row === undefined) throw unknownDomain(name);
  return name;
}

async function lockDomain(trx: Kysely<Schema>, domain: string): Promise<void> {
  const row = await trx.selectFrom('domains').select('name').where('name', '=', domain).forUpdate().executeTakeFirst();
  if (row === undefined) throw unknownDomain(domain);
}

async function requireRoom(trx: Kysely<Schema>, domain: string): Promise<void> {
  const { count } = await trx
    .selectFrom('keys')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('domain', '=', domain)
    .where('state', '<>', 'deleted')
    .executeTakeFirstOrThrow();
  if (Number(count) < keystoreLimits.maxKeysPerDomain) return;
  throw new KeystoreError('keystore.too-many-keys', `${domain} has ${count} keys: delete some first`);
}

/** Selectors are DNS labels: case does not tell them apart. */
function requireSelector(selector: string, domain: string): string {
  const lower = selector.toLowerCase();
  if (isSelector(lower) && keyRecordName(lower, domain).length <= keystoreLimits.maxRecordNameLength) return lower;
  throw new KeystoreError(
    'keystore.selector-invalid',
    'a selector is one or more labels of letters, digits and hyphens, joined by dots; with the domain it makes a DNS name of at most 253 octets',
  );
}

function readPem(pem: string): KeyObject {
  if (pem.length > keystoreLimits.maxPemLength) {
    throw new KeystoreError(
      'keystore.key-unreadable',
      `a private key in PEM has at most ${keystoreLimits.maxPemLength} characters`,
    );
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    // The cause may repeat what was given, so it is left out.
    throw new KeystoreError('keystore.key-unreadable', 'not a private key in PEM, or one that needs a passphrase');
  }
}

function requireNext(row: Row, to: KeyState): void {
  const allowed = nextKeyStates(row.state);
  if (allowed.includes(to)) return;
  const hint = allowed.length === 0 ? 'no other state' : allowed.join(' or ');
  throw new KeystoreError(
    'keystore.state-change-illegal',
    `the key ${row.selector} of ${row.domain} is ${row.state} and can become ${hint}, not ${to}`,
  );
}

/** Retires the active key that `row` takes over from. */
async function retire(trx: Kysely<Schema>, row: Row, at: Date): Promise<Row | undefined> {
  return trx
    .updateTable('keys')
    .set({ state: 'retiring', state_changed_at: at })
    .where('domain', '=', row.domain)
    .where('algorithm', '=', row.algorithm)
    .where('state', '=', 'active')
    .returningAll()
    .executeTakeFirst();
}

function unknownKey(id: string): KeystoreError {
  return new KeystoreError('keystore.key-unknown', `there is no key ${JSON.stringify(id.slice(0, 50))}`);
}

function toKey(row: Row): DkimKey {
  const publicKey = createPublicKey({ key: Buffer.from(row.public_key), format: 'der', type: 'spki' });
  return {
    id: row.id,
    domain: row.domain,
    selector: row.selector,
    algorithm: publicKey.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256',
    bits: publicKey.asymmetricKeyDetails?.modulusLength ?? 256,
    state: row.state,
    record: recordFor(row, publicKey),
    createdAt: row.created_at,
    stateChangedAt: row.state_changed_at,
  };
}

function recordFor({ selector, domain, state }: Row, publicKey: KeyObject): DkimKey['record'] {
  if (state === 'deleted') return null;
  const text = formatKeyRecord(publicKey);
  // RFC 6376 §3.6.1: an empty p= says that the key is revoked.
  return { name: keyRecordName(selector, domain), text: state === 'revoked' ? text.replace(/p=.*$/, 'p=') : text };
}
