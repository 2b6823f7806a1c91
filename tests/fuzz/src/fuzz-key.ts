import { createPrivateKey, createPublicKey } from 'node:crypto';
import { createSigningKey, formatKeyRecord, keyRecordName } from '@zegel/dkim';

const domain = 'example.org';
const selector = 'fuzz';

/** Any 32 octets are an Ed25519 key (RFC 8410 §7): these make the same one in every run. */
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 'zegel')]),
  format: 'der',
  type: 'pkcs8',
});

/** A key for targets that sign. */
export const fuzzKey = createSigningKey({ domain, selector, privateKey });

/** The zone that it is published in. */
export const fuzzZone = {
  [keyRecordName(selector, domain)]: { TXT: [formatKeyRecord(createPublicKey(privateKey))] },
};
