/** A message to be judged, with all the DNS there is for it: a function of seed and index. */
import { createSigningKey, signMessage } from '@zegel/dkim';
import type { ZoneDeclaration } from '@zegel/dns';
import { generateMessage, seededRandom } from '@zegel/test-harness';
import type { SeededRandom } from '@zegel/test-harness';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import type { Implementation } from '../../../interop/src/implementation.ts';
import { cutMessage } from './forge.ts';
import { forgeSignature } from './forgery.ts';
import { otherFrom } from './from.ts';
import { signingDomains } from './key-records.ts';
import type { KeyRecords, Selector } from './key-records.ts';
import { mutate } from './mutation.ts';
import { policyRecords } from './policy-records.ts';

/** When everything is judged: behind every t= and ahead of every x= that means to be valid, on any machine's clock. */
export const judgedAt = new Date('2090-01-01T00:00:00Z');

export interface MailCase {
  readonly raw: Buffer;
  /** Beside the key records: SPF and DMARC. */
  readonly policies: ZoneDeclaration;
  readonly ip: string;
  readonly helo: string;
  readonly mailFrom: string;
  /** What was done, for people. */
  readonly story: readonly string[];
}

type Signer = (wire: Buffer, random: SeededRandom) => Promise<string>;

const pairs = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'] as const;
const signedAt = new Date(1_700_000_000_000);

/** Makes cases. `dkimpy` signs its part of them. */
export function mailCases(seed: number, records: KeyRecords, dkimpy: Implementation) {
  const anySelector = (random: SeededRandom): { selector: Selector; domain: string } =>
    random.chance(4)
      ? { selector: random.pick(records.odd), domain: signingDomains[0] }
      : { selector: random.pick(records.sound), domain: random.pick(signingDomains) };

  const signers: Readonly<Record<string, Signer>> = {
    forged: async (wire, random) => forgeSignature(cutMessage(wire), records, random),
    ours: async (wire, random) => {
      const { selector, domain } = anySelector(random);
      const [header, body] = random.pick(pairs).split('/') as ['simple' | 'relaxed', 'simple' | 'relaxed'];
      const key = createSigningKey({ domain, selector: selector.selector, privateKey: selector.key.privateKey });
      const fields = await signMessage(wire, { keys: [key], canonicalization: { header, body }, now: signedAt });
      return Buffer.from(fields).toString('latin1');
    },
    mailauth: async (wire, random) => {
      const { selector, domain } = anySelector(random);
      const maxBodyLength = random.chance(10) ? { maxBodyLength: random.between(0, 100) } : {};
      const { signatures } = await dkimSign(wire, {
        signingDomain: domain,
        selector: selector.selector,
        privateKey: selector.key.pem,
        signatureData: [
          {
            signingDomain: domain,
            selector: selector.selector,
            privateKey: selector.key.pem,
            canonicalization: random.pick(pairs),
            ...maxBodyLength,
          },
        ],
        signTime: signedAt,
      });
      return signatures;
    },
    dkimpy: async (wire, random) => {
      const message = { index: 0, features: new Set<never>(), raw: wire, wire };
      const algorithms = [random.pick(['rsa-sha256', 'ed25519-sha256'] as const)];
      return Buffer.from(await dkimpy.sign(message, { algorithms, canonicalization: random.pick(pairs) })).toString(
        'latin1',
      );
    },
  };

  return async (index: number): Promise<MailCase> => {
    const random = seededRandom(`mail/${seed}/${index}`);
    const generated = generateMessage(seed, index);
    const story = [...generated.features] as string[];
    let { wire } = generated;
    if (random.chance(3)) {
      wire = otherFrom(wire, random);
      story.push('other From');
    }
    let fields = '';
    for (let count = random.pick([0, 1, 1, 1, 1, 1, 2, 3]); count > 0; count -= 1) {
      const name = random.pick([
        'forged',
        'forged',
        'forged',
        'ours',
        'mailauth',
        random.chance(3) ? 'dkimpy' : 'forged',
      ]);
      // A signer that refuses the message leaves it without its signature.
      const field = await signers[name]!(wire, random).catch(() => undefined);
      story.push(field === undefined ? `${name} refuses to sign` : `signed by ${name}`);
      fields = `${field ?? ''}${fields}`;
    }
    const signed = Buffer.concat([Buffer.from(fields, 'latin1'), wire]);
    const { raw, mutations } = mutate(signed, random.pick([0, 0, 0, 1, 1, 1, 2, 3]), random);
    return {
      raw,
      policies: policyRecords(random),
      ip: random.pick(['192.0.2.1', '192.0.2.1', '198.51.100.1']),
      helo: 'mail.example.test',
      mailFrom: random.pick([
        '',
        'bounce@example.test',
        'bounce@mail.example.test',
        'bounce@other.test',
        'bounce@absent.test',
      ]),
      story: [...story, ...mutations],
    };
  };
}
