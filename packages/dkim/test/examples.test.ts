import { createPrivateKey } from 'node:crypto';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { fieldsNamed, parseMessage } from '@zegel/message';
import { conformanceFile, loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { createSigningKey, signMessage, verifyMessage } from '../src/index.ts';
import { dataToVerify } from '../src/header-data.ts';
import { parseSignature } from '../src/signature.ts';

interface Suite {
  readonly dns: ZoneDeclaration;
  readonly cases: readonly { readonly file: string; readonly expect: string; readonly dns?: ZoneDeclaration }[];
}

function example(suite: string, file: string) {
  const { dns, cases } = loadConformance<Suite>(`dkim/${suite}.json`);
  const entry = cases.find((each) => each.file === file && each.expect === 'pass');
  return { raw: conformanceFile(`dkim/${file}`), resolver: new ZoneResolver({ ...dns, ...entry?.dns }) };
}

describe('RFC 6376 appendix A.2', () => {
  it('verifies', async () => {
    const { raw, resolver } = example('lieser', 'lieser/rfc6376-A.2.eml');
    expect(await verifyMessage(raw, { resolver })).toMatchObject([
      { code: 'dkim.pass', domain: 'example.com', selector: 'brisbane', identity: 'joe@football.example.com' },
    ]);
  });
});

describe('RFC 8463 appendix A', () => {
  /** A.2: the private key, as an octet string. */
  const seed = Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64');
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const key = createSigningKey({ domain: 'football.example.com', selector: 'brisbane', privateKey });
  const { raw, resolver } = example('mimekit', 'mimekit/rfc8463-example.eml');

  it('verifies, both signatures', async () => {
    const results = await verifyMessage(raw, { resolver });
    expect(results.map(({ code, algorithm }) => `${code} ${algorithm}`)).toEqual([
      'dkim.pass ed25519-sha256',
      'dkim.pass rsa-sha256',
    ]);
  });

  it('is signed with the very signature of A.3: Ed25519 leaves no choice', async () => {
    const { header } = parseMessage(raw);
    const field = fieldsNamed(header, 'dkim-signature')[0]!;
    const text = Buffer.from(header.bytes.subarray(field.colon + 1, field.end - 2)).toString('latin1');
    const parsed = parseSignature(text, { maxSignedFields: 100 });
    if (!parsed.ok) throw new Error(parsed.code);
    const { signature } = parsed;
    const { signedFields, headerCanonicalization } = signature;
    const data = Buffer.from(dataToVerify(header, signedFields, headerCanonicalization, field, signature));
    expect(Buffer.from(await key.sign(data)).toString('base64')).toBe(signature.value);
  });

  it('verifies when we sign its message', async () => {
    const unsigned = raw.subarray(raw.indexOf('From:'));
    const fields = await signMessage(unsigned, { keys: [key] });
    const results = await verifyMessage(Buffer.concat([fields, unsigned]), { resolver });
    expect(results).toMatchObject([{ code: 'dkim.pass' }]);
  });
});
