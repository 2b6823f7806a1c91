import type { Database } from '@zegel/database';
import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, LocalResolver, RecordType } from '@zegel/dns';
import type { Keystore } from '@zegel/keystore';

/** The domain of the demo. `.test` is reserved (RFC 6761 §6.2): nobody has it. */
export const demoDomain = 'example.test';

/** The reverse zone of 127.0.0.1, so that the client of the demo has a name without anybody being asked for it. */
const loopbackName = '1.0.0.127.in-addr.arpa';

const setting = 'demo.created';

/**
 * Makes the demo domain on the first start with an RSA and an Ed25519 key, both active. Once made it is left alone: who
 * deletes it does not get it back.
 */
export async function ensureDemo({ db }: Database, keystore: Keystore): Promise<void> {
  const known = await db.selectFrom('settings').select('name').where('name', '=', setting).executeTakeFirst();
  if (known !== undefined) return;
  if ((await keystore.domains.get(demoDomain)) === null) await keystore.domains.create(demoDomain);
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const selector = algorithm === 'rsa-sha256' ? 'demo-rsa' : 'demo-ed25519';
    const { items } = await keystore.keys.list(demoDomain);
    const key =
      items.find((item) => item.selector === selector) ??
      (await keystore.keys.create(demoDomain, { selector, algorithm }));
    if (key.state === 'pending') await keystore.keys.changeState(key.id, 'published');
    if (key.state === 'pending' || key.state === 'published') await keystore.keys.changeState(key.id, 'active');
  }
  await db
    .insertInto('settings')
    .values({ name: setting, value: JSON.stringify(true) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * What the DNS would say about the demo domain: the key records of its keys as they are now, an SPF record for mail
 * from this host and a DMARC record. So signing and verifying work with no network at all.
 */
export class DemoZone implements LocalResolver {
  readonly apexes = [demoDomain, loopbackName];
  readonly #keystore: Keystore;

  constructor(keystore: Keystore) {
    this.#keystore = keystore;
  }

  async resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    const zone: Record<string, { TXT?: string[]; A?: string[]; PTR?: string[]; MX?: [number, string][] }> = {
      [demoDomain]: { TXT: ['v=spf1 ip4:127.0.0.1 ip6:::1 -all'], MX: [[10, `mail.${demoDomain}`]] },
      [`mail.${demoDomain}`]: { A: ['127.0.0.1'] },
      [loopbackName]: { PTR: [`mail.${demoDomain}`] },
      [`_dmarc.${demoDomain}`]: { TXT: ['v=DMARC1; p=reject'] },
    };
    if ((await this.#keystore.domains.get(demoDomain)) !== null) {
      const { items } = await this.#keystore.keys.list(demoDomain);
      for (const { record } of items) if (record !== null) zone[record.name] = { TXT: [record.text] };
    }
    return new ZoneResolver(zone).resolve(name, type);
  }
}
