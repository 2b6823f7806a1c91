import { dkimLimits, parseKeyRecord, verifyMessage } from '@zegel/dkim';
import { fieldsNamed, parseMessage } from '@zegel/message';
import { dkimMessages } from '../conformance-messages.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { joinInput, relevant, splitInput, toText, zoneLines, zoneOf } from '../zone-lines.ts';

/** @zegel/dkim: key records, signatures, and whole verifications. The input is a zone and a message. */
export const dkimVerify: FuzzTarget = {
  name: 'dkim-verify',
  covers: ['dkim', 'canonicalization'],
  tokens: [
    ...'DKIM-Signature: |v=1; |v=DKIM1; |a=rsa-sha256|a=ed25519-sha256|a=rsa-sha1|b=|bh=|c=relaxed/simple'.split('|'),
    ...'c=simple|d=|h=|from:to:subject|i=@|l=0|l=|q=dns/txt|s=|t=|x=|z=|k=rsa|k=ed25519|p=|p=;|n=|s=email'.split('|'),
    ...'s=*|t=y|t=s|t=y:s|h=sha256|h=sha1| TXT | CNAME | SERVFAIL|;|;;|=|:|._domainkey.|\r\n |\r\n\t| |\t'.split('|'),
    ...'\r\n\r\n|==|\n---\n|example.com|xn--|MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ|MEgCQQ|AQAB'.split('|'),
    ...'MCowBQYDK2VwAyEA'.split('|'),
  ],
  seeds: () => dkimMessages().map(({ raw, dns }) => joinInput(zoneLines(relevant(dns, toText(raw))).slice(0, 12), raw)),
  run: async (input) => {
    const { lines, rest: raw } = splitInput(input);
    const outcomes = lines.map((line): string => {
      const parsed = parseKeyRecord(line.slice(line.indexOf(' TXT ') + 5));
      if (!parsed.ok) return parsed.reason;
      const { keyType } = parsed.record;
      return keyType === 'rsa' || keyType === 'ed25519' ? keyType : 'another key type';
    });
    const results = await verifyMessage(raw, { resolver: zoneOf(lines), now: new Date('2026-11-24T00:00:00Z') });
    const { header } = parseMessage(raw);
    const signatures = fieldsNamed(header, 'dkim-signature').length;
    must(results.length === Math.max(1, signatures), 'not one result per signature');
    const checked = results.filter(({ evidence }) => evidence.keyName !== undefined).length;
    must(checked <= dkimLimits.maxSignatures, 'more keys looked up than allowed');
    for (const { code, result, domain, explanation } of results) {
      must(result !== 'pass' || domain !== undefined, 'a pass without a domain');
      must(!/[\r\n\0]/.test(explanation), 'an explanation of several lines');
      outcomes.push(code);
    }
    return outcomes;
  },
};
