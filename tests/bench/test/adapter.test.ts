import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createBench } from '../adapter.ts';
import type { Bench } from '../adapter.ts';
import { createGround } from '../src/ground.ts';
import { message } from '../src/messages.ts';

const ground = createGround();
const raw = message(ground.domain, 'html', 10_000);
let bench: Bench;
let signed: Buffer;

beforeAll(async () => {
  bench = createBench(ground);
  signed = Buffer.concat([await bench.sign(raw), raw]);
});

/** The message with another last line. */
function altered(): Buffer {
  return Buffer.concat([signed, Buffer.from('one more line\r\n')]);
}

describe('the adapter for drivers from outside', () => {
  it('can be imported by Node as it is', () => {
    const script = `const { createBench } = await import(${JSON.stringify(path.join(import.meta.dirname, '../adapter.ts'))}); console.log(typeof createBench)`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
    expect(output.trim()).toBe('function');
  });

  it('has a name and a version', () => {
    expect(bench).toMatchObject({ name: 'zegel', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  it('signs with one field, CRLF ended, and with two for both keys', async () => {
    const field = await bench.sign(raw);
    expect(field.toString('latin1')).toMatch(/^DKIM-Signature: (?:.|\r\n\t)+\r\n$/);
    const fields = (await bench.signDual(raw)).toString('latin1');
    expect(fields.match(/^DKIM-Signature: /gm)).toHaveLength(2);
    expect(fields).toContain('a=ed25519-sha256');
    expect(await bench.verify(Buffer.concat([Buffer.from(fields), raw]))).toBe(true);
  });

  it('verifies what is signed, and neither what was altered nor what is not signed', async () => {
    expect(await bench.verify(signed)).toBe(true);
    expect(await bench.verify(altered())).toBe(false);
    expect(await bench.verify(raw)).toBe(false);
  });

  it('passes SPF for the session alone that the domain names', async () => {
    expect(await bench.spf(signed)).toBe(true);
    const other = createBench({ ...ground, spf: { ...ground.spf, ip: '198.18.0.1' } });
    expect(await other.spf(signed)).toBe(false);
  });

  it('passes DMARC for the domain of the author alone', async () => {
    expect(await bench.dmarc(signed)).toBe(true);
    const foreign = Buffer.from(signed.toString('latin1').replace(/^From: .*$/m, 'From: a@other.example'), 'latin1');
    expect(await bench.dmarc(foreign)).toBe(false);
    expect(await bench.dmarc(Buffer.from('Subject: no author\r\n\r\n'))).toBe(false);
  });

  it('authenticates as a whole', async () => {
    expect(await bench.auth(signed)).toBe(true);
    // Altered and from elsewhere: neither DKIM nor SPF speaks for the author.
    const other = createBench({ ...ground, spf: { ...ground.spf, ip: '198.18.0.1' } });
    expect(await other.auth(altered())).toBe(false);
  });

  it('takes every rejection of node:dns for what it means', async () => {
    const codes = { ENOTFOUND: false, ENODATA: false, ETIMEOUT: false, ESERVFAIL: false, EOTHER: false };
    for (const [code, passes] of Object.entries(codes)) {
      const resolver = async (name: string): Promise<never> => {
        throw Object.assign(new Error(`${code} ${name}`), { code });
      };
      expect(await createBench({ ...ground, resolver }).auth(signed)).toBe(passes);
    }
  });
});
