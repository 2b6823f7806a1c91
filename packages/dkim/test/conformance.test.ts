import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createBodyCanonicalizer } from '@zegel/canonicalization';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { fieldsNamed, parseMessage } from '@zegel/message';
import { conformanceFile, loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { dataToVerify } from '../src/header-data.ts';
import { parseKeyRecord } from '../src/key-record.ts';
import { parseSignature } from '../src/signature.ts';
import { verifyMessage } from '../src/index.ts';

interface Case {
  readonly id: string;
  readonly file: string;
  readonly now?: number;
  readonly dns?: ZoneDeclaration;
  readonly expect: string;
  readonly expectRfc8301: string;
  readonly group?: string;
  readonly flags?: readonly string[];
  readonly signatures: readonly { readonly a?: string; readonly l?: number | null }[];
}

interface Suite {
  readonly dns: ZoneDeclaration;
  readonly cases: readonly Case[];
}

const suites = ['dkimpy', 'go-msgauth', 'lieser', 'mail-dkim', 'mimekit', 'opendkim', 'rspamd', 'stalwart'];
const cases = suites.flatMap((name) => {
  const suite = loadConformance<Suite>(`dkim/${name}.json`);
  return suite.cases.map((entry) => ({ ...entry, zone: { ...suite.dns, ...entry.dns } }));
});

const words = async ({ file, now, zone }: (typeof cases)[number]): Promise<readonly string[]> => {
  const options = now === undefined ? {} : { now: new Date(now * 1000) };
  const results = await verifyMessage(conformanceFile(`dkim/${file}`), {
    resolver: new ZoneResolver(zone),
    ...options,
  });
  return results.map((result) => `${result.result} ${result.code}`);
};

const verdict = (results: readonly string[]): string =>
  results.some((result) => result.startsWith('pass ')) ? 'pass' : 'not pass';

describe('conformance: signatures that hold under RFC 6376 and RFC 8301', () => {
  const holding = cases.filter((entry) => entry.expectRfc8301 === 'pass' && entry.group !== 'policy');
  it.each(holding)('$id', async (entry) => {
    const results = await words(entry);
    expect(verdict(results), results.join(', ')).toBe('pass');
  });
});

describe('conformance: signatures that do not hold', () => {
  const failing = cases.filter((entry) => entry.expectRfc8301 !== 'pass' && entry.group !== 'policy');
  it.each(failing)('$id ($expectRfc8301)', async (entry) => {
    const results = await words(entry);
    expect(verdict(results), results.join(', ')).toBe('not pass');
  });
});

describe('conformance: signatures that cover a part of the body (l=)', () => {
  const partial = cases.filter((entry) => entry.expectRfc8301 === 'pass' && entry.group === 'policy');
  it.each(partial)('$id', async (entry) => {
    expect(entry.signatures.every(({ l }) => l !== undefined)).toBe(true);
    expect(await words(entry)).toEqual(['policy dkim.body-not-covered']);
  });
});

/**
 * Fields that were added above the signed ones, which the signature does not cover and needs not: upstream's own policy
 * is to say so. It is the author and the notices of the whole report that speak of such a message, not the signature.
 */
describe('conformance: signatures that a local policy decides on', () => {
  const local = cases.filter((entry) => entry.expectRfc8301 !== 'pass' && entry.group === 'policy');
  it.each(local)(
    '$id: against the suite, RFC 6376 §6.1.3: what h= does not name may change, and the signature holds',
    async (entry) => {
      expect(await words(entry)).toEqual(['pass dkim.pass']);
    },
  );
});

describe('conformance', () => {
  it('holds the 137 cases this suite is known to have', () => {
    expect(cases).toHaveLength(137);
  });
});

/**
 * Signatures that nobody may accept any more (rsa-sha1, short keys, versions before RFC 4871) still say whether the
 * canonicalization is right: here Node checks them, over bytes made by ours.
 */
describe('conformance: canonicalization of signatures that are too old to accept', () => {
  const old = cases.filter(
    (entry) => entry.expect === 'pass' && entry.expectRfc8301 === 'notpass' && (entry.group ?? 'dkim') === 'dkim',
  );
  it.each(old)('$id', (entry) => {
    expect(oldSignatureHolds(entry)).toBe(true);
  });
});

function oldSignatureHolds({ file, zone }: (typeof cases)[number]): boolean {
  const { header, body } = parseMessage(conformanceFile(`dkim/${file}`));
  return fieldsNamed(header, 'dkim-signature').some((field) => {
    const text = Buffer.from(header.bytes.subarray(field.colon + 1, field.end - 2)).toString('latin1');
    // Drafts before RFC 4871 had other versions or none, and q=dns. Offsets stay.
    const prefix = /(^|;)\s*v=/.test(text) ? '' : 'v=1;';
    const modern = text.replace(/\bv=0\.5/, 'v=1  ').replace(/\bq=dns(?=;)/, 'z=dns');
    const parsed = parseSignature(prefix + modern, { maxSignedFields: 100 });
    if (!parsed.ok) return false;
    const { signature } = parsed;
    const hash = signature.algorithm.endsWith('sha1') ? 'sha1' : 'sha256';
    const bodyHash = createHash(hash);
    let left = signature.bodyLength ?? Infinity;
    const canonicalizer = createBodyCanonicalizer(signature.bodyCanonicalization, (bytes) => {
      bodyHash.update(bytes.subarray(0, left));
      left -= Math.min(left, bytes.length);
    });
    canonicalizer.update(body);
    canonicalizer.end();
    if (bodyHash.digest('base64') !== signature.bodyHash) return false;
    const key = publicKey(zone, `${signature.selector}._domainkey.${signature.domain}`);
    const data = dataToVerify(header, signature.signedFields, signature.headerCanonicalization, field, {
      valueStart: signature.valueStart - prefix.length,
      valueEnd: signature.valueEnd - prefix.length,
    });
    return verify(hash, data, key, signature.signatureBytes);
  });
}

function publicKey(zone: ZoneDeclaration, name: string): KeyObject {
  const entry = zone[name] as { readonly TXT: readonly string[] };
  const parsed = parseKeyRecord(entry.TXT[0]!);
  if (!parsed.ok) throw new Error(`No key at ${name}`);
  return createPublicKey({ key: parsed.record.publicKey, format: 'der', type: 'spki' });
}
