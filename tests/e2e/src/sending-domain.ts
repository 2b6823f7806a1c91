import { createSigningKey, formatKeyRecord, generateKeyPair, keyRecordName, signMessage } from '@zegel/dkim';
import { parseZone } from '@zegel/dns';
import type { Zone } from '@zegel/dns';

/** A domain somewhere out there that sends signed mail: its keys are ours to sign with, its zone is for the name server. */
export interface SendingDomain {
  readonly zone: Zone;
  /** What an MTA knows when mail of this domain comes in, as the query of `/v1/inbound`. SPF passes. */
  readonly session: string;
  /** The message with an RSA and an Ed25519 signature on top. */
  sign(message: Uint8Array): Promise<Buffer>;
}

const domain = 'example.test';

/** Makes `example.test`, the domain that the harness's generated messages are from, with fresh keys. */
export async function createSendingDomain(): Promise<SendingDomain> {
  const records: Record<string, { TXT: string[] }> = {
    [domain]: { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
    [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject'] },
  };
  const keys = await Promise.all(
    (['rsa-sha256', 'ed25519-sha256'] as const).map(async (algorithm) => {
      const { privateKey, publicKey } = await generateKeyPair(algorithm);
      const selector = algorithm.replace(/-.*/, '');
      records[keyRecordName(selector, domain)] = { TXT: [formatKeyRecord(publicKey)] };
      return createSigningKey({ domain, selector, privateKey });
    }),
  );
  return {
    zone: parseZone(records),
    session: `ip=192.0.2.1&helo=mail.${domain}&mailFrom=author@${domain}`,
    sign: async (message) => Buffer.concat([await signMessage(message, { keys }), message]),
  };
}
