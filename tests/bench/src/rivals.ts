/** The Node rivals, each called as its documentation says. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { authenticate, dkimSign, dkimVerify, dmarc, spf } from 'mailauth';
import type { DKIMSignOptions } from 'mailauth';
import DKIM from 'nodemailer/lib/dkim';
import type { Bench } from '../adapter.ts';
import type { Ground } from './ground.ts';

/** A rival, as far as it has the operations. */
export type Rival = Pick<Bench, 'name' | 'version'> & Partial<Bench>;

export function mailauthRival(ground: Ground): Rival {
  const { domain, selector, edSelector, privateKeyPem, edPrivateKeyPem } = ground;
  const { ip, helo, sender } = ground.spf;
  // mailauth declares texts alone, and takes what node:dns gives.
  const resolver = ground.resolver as (name: string, type: string) => Promise<string[]>;
  const rsa = { signingDomain: domain, selector, privateKey: privateKeyPem, algorithm: 'rsa-sha256' };
  const ed25519 = {
    signingDomain: domain,
    selector: edSelector,
    privateKey: edPrivateKeyPem,
    algorithm: 'ed25519-sha256',
  };
  return {
    name: 'mailauth',
    version: versionOf('mailauth'),
    sign: (message) => signWith(message, [rsa]),
    signDual: (message) => signWith(message, [rsa, ed25519]),
    async verify(message) {
      const { results } = await dkimVerify(message, { resolver });
      return results.length > 0 && results.every(({ status }) => status.result === 'pass');
    },
    async spf() {
      const { status } = await spf({ ip, helo, sender, mta: 'mx.example.net', resolver });
      return status.result === 'pass';
    },
    async dmarc() {
      const result = await dmarc({
        headerFrom: [domain],
        spfDomains: [domain],
        dkimDomains: [{ domain }],
        resolver,
      });
      return result !== false && result.status.result === 'pass';
    },
    async auth(message) {
      const result = await authenticate(message, {
        ip,
        helo,
        sender,
        mta: 'mx.example.net',
        resolver,
        disableBimi: true,
      });
      return result.dmarc !== false && result.dmarc.status.result === 'pass';
    },
  };
}

async function signWith(message: Buffer, signatureData: DKIMSignOptions[]): Promise<Buffer> {
  const { signatures } = await dkimSign(message, {
    canonicalization: 'relaxed/relaxed',
    signatureData,
  } as DKIMSignOptions);
  return Buffer.from(signatures);
}

/** nodemailer signs while it sends: its signer answers the signed message as a stream. */
export function nodemailerRival({ domain, selector, privateKeyPem }: Ground): Rival {
  const signer = new DKIM({ domainName: domain, keySelector: selector, privateKey: privateKeyPem });
  return {
    name: 'nodemailer',
    version: versionOf('nodemailer'),
    async sign(message) {
      const chunks: Buffer[] = [];
      for await (const chunk of signer.sign(message)) chunks.push(chunk as Buffer);
      const signed = Buffer.concat(chunks);
      return signed.subarray(0, signed.length - message.length);
    },
  };
}

function versionOf(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
