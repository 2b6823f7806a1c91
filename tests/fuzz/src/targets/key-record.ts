import { dkimLimits, formatKeyRecord, parseKeyRecord, parseTagList, signatureHolds, usableKey } from '@zegel/dkim';
import { dkimMessages } from '../conformance-messages.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { toText, zoneLines } from '../zone-lines.ts';

const data = Buffer.from('what is signed');
const signatures = [Buffer.alloc(64), Buffer.alloc(256, 0xff), Buffer.of(0)];

/** @zegel/dkim: key records, and the keys in them. The input is the text of a TXT record. */
export const keyRecord: FuzzTarget = {
  name: 'key-record',
  covers: ['dkim'],
  tokens: [
    ...'v=DKIM1|v=DKIM1;|k=rsa|k=ed25519|k=|p=|p=;|h=sha256|h=sha1|h=sha1:sha256|s=email|s=*|s=|t=y|t=s|t=y:s'.split(
      '|',
    ),
    ...'n=|g=*|;|; |=|:|"|\\|\0|\t|\r\n |__proto__=|MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA|MIGJAoGB'.split('|'),
    ...'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ|MCowBQYDK2VwAyEA|AQAB|AwEAAQ|IDAQAB|AAAA|////|=='.split('|'),
  ],
  seeds: () => {
    const texts = dkimMessages()
      .flatMap(({ dns }) => zoneLines(dns))
      .filter((line) => line.includes('._domainkey.') && line.includes(' TXT '))
      .map((line) => line.slice(line.indexOf(' TXT ') + 5));
    return [...new Set(texts)].map((text) => Buffer.from(text, 'latin1'));
  },
  run: async (input) => {
    const text = toText(input);
    const parsed = parseKeyRecord(text);
    if (!parsed.ok) return [parsed.reason];
    const { record } = parsed;
    const list = parseTagList(text);
    must(list.ok && list.tags.has('p'), 'a key record without p=');

    const outcomes = ['rsa-sha256', 'ed25519-sha256'].map((algorithm): string => {
      const usable = usableKey({ algorithm }, record, dkimLimits);
      if (!usable.ok) return usable.code;
      const { key, bits } = usable;
      must(key.asymmetricKeyType === algorithm.split('-')[0], 'a key of another type');
      must(bits >= 256 && bits <= dkimLimits.maxRsaBits, 'a key of a size that is not allowed');
      for (const signatureBytes of signatures) {
        must(!signatureHolds({ algorithm, signatureBytes }, key, data), 'a signature that nobody made');
      }
      const again = parseKeyRecord(formatKeyRecord(key));
      must(again.ok && usableKey({ algorithm }, again.record, dkimLimits).ok, 'a key that is lost when written');
      return `${algorithm} ${record.testing} ${record.strictIdentity}`;
    });
    return outcomes;
  },
};
