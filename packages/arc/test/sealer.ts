/** What the tests seal with: a domain with a key, published in a zone, and messages passed on from hop to hop. */
import type { AuthenticationResults } from '@zegel/auth-results';
import { createSigningKey, formatKeyRecord, generateKeyPair, keyRecordName } from '@zegel/dkim';
import type { SigningAlgorithm, SigningKey } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { seal, verifyChain } from '../src/index.ts';

export const now = new Date('2026-06-01T12:00:00Z');

export interface TestSealer {
  readonly key: SigningKey;
  /** The name and the text of its key record. */
  readonly record: readonly [name: string, text: string];
  /** PKCS #8 PEM. */
  readonly pem: string;
}

export async function testSealer(
  domain: string,
  algorithm: SigningAlgorithm = 'rsa-sha256',
  selector = 'rsa',
): Promise<TestSealer> {
  // Short keys are quick, and as good as long ones to tell right from wrong.
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { modulusLength: 1024 });
  return {
    key: createSigningKey({ domain, selector, privateKey }),
    record: [keyRecordName(selector, domain), formatKeyRecord(publicKey)],
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export function zoneOf(...sealers: readonly TestSealer[]): Resolver {
  return new ZoneResolver(Object.fromEntries(sealers.map(({ record: [name, text] }) => [name, { TXT: [text] }])));
}

export function dmarcSays(result: string, authservId = 'mx.example.test'): AuthenticationResults {
  const properties = [{ ptype: 'header', property: 'from', value: 'author.test' }];
  return { authservId, results: [{ method: 'dmarc', result, properties }] };
}

/** The message as it leaves a hop that verifies and seals it. */
export async function passOn(
  raw: Uint8Array,
  { key }: TestSealer,
  resolver: Resolver,
  authenticationResults = dmarcSays('pass'),
  at = now,
): Promise<Buffer> {
  const chain = await verifyChain(raw, { resolver, now: at });
  const fields = await seal(raw, { key, authenticationResults, chain, now: at });
  return Buffer.concat([...fields, raw]);
}

export const plainMessage = Buffer.from(
  'From: Ann <ann@author.test>\r\nTo: bob@reader.test\r\nSubject: Plans\r\nDate: Mon, 1 Jun 2026 11:00:00 +0000\r\n' +
    'Message-ID: <1@author.test>\r\n\r\nHello Bob,\r\n\r\nuntil then.\r\n',
);
