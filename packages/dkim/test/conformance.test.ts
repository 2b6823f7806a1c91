import { constants, createHash, createPublicKey, publicDecrypt, verify } from 'node:crypto';
import { createBodyCanonicalizer } from '@zegel/canonicalization';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import { conformanceFile, loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { FieldIndex, signedData, withoutSignatureValue } from '../src/header-data.ts';
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
  const results = await verifyMessage(conformanceFile(`dkim/${file}`), { resolver: new ZoneResolver(zone), ...options });
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
