import { BodyDigests } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import { beforeAll, describe, expect, it } from 'vitest';
import { SealingError, beginChainVerification, beginSealing, seal, verifyChain } from '../src/index.ts';
import type { ArcResult, SealOptions } from '../src/index.ts';
import { dmarcSays, now, passOn, plainMessage, testSealer, zoneOf } from './sealer.ts';
import type { TestSealer } from './sealer.ts';

let sealer: TestSealer;
let resolver: Resolver;

beforeAll(async () => {
  sealer = await testSealer('list.test');
  resolver = zoneOf(sealer);
});

const options = (chain: ArcResult): SealOptions => ({
  key: sealer.key,
  authenticationResults: dmarcSays('pass'),
  chain,
  now,
});

async function outcomeOf(raw: Uint8Array, chain?: ArcResult, more: Partial<SealOptions> = {}) {
  const { header, body } = parseMessage(raw);
  const sealing = beginSealing(header, {
    ...options(chain ?? (await verifyChain(raw, { resolver, now }))),
    ...more,
  });
  sealing.body(body);
  return { needsBody: sealing.needsBody, outcome: await sealing.end() };
}

const broken = async (): Promise<Buffer> =>
  Buffer.concat([await passOn(plainMessage, sealer, resolver), Buffer.from('more\r\n')]);

const unsealedCode = async (raw: Uint8Array, chain?: ArcResult) => {
  const { needsBody, outcome } = await outcomeOf(raw, chain);
  return { needsBody, code: outcome.ok ? 'sealed' : outcome.problem.code };
};

const latin1 = (field: Uint8Array): string => Buffer.from(field).toString('latin1');

describe('RFC 8617 §5.1 sealing', () => {
  it('covers all that it is meant to, or is not done', async () => {
    const raw = Buffer.concat([Buffer.from('To: a@author.test\r\n'.repeat(100)), plainMessage]);
    expect(await unsealedCode(raw)).toEqual({ needsBody: false, code: 'message.limit-exceeded' });
  });

  it('makes ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results, in this order from the top', async () => {
    const { needsBody, outcome } = await outcomeOf(plainMessage);
    expect(needsBody).toBe(true);
    expect(outcome).toMatchObject({ ok: true, instance: 1 });
    const fields = outcome.ok ? outcome.fields.map(latin1) : [];
    expect(fields.map((field) => field.slice(0, field.indexOf(':')))).toEqual([
      'ARC-Seal',
      'ARC-Message-Signature',
      'ARC-Authentication-Results',
    ]);
    expect(fields[0]).toMatch(/cv=none; d=list\.test; i=1; s=rsa; t=1780315200\r\n$/);
    expect(fields[2]).toBe(
      'ARC-Authentication-Results: i=1; mx.example.test;\r\n\tdmarc=pass header.from=author.test\r\n',
    );
    for (const line of fields.join('').split('\r\n')) expect(line.length).toBeLessThan(998);
  });

  it('covers what DKIM covers and every DKIM-Signature, and keeps From from being added', async () => {
    const raw = Buffer.concat([Buffer.from('DKIM-Signature: v=1\r\n'), plainMessage]);
    const [, ams = new Uint8Array()] = await seal(raw, options(await verifyChain(raw, { resolver })));
    const names = / h=([^;]*);/.exec(latin1(ams))![1]!.replaceAll(/\s/g, '').split(':');
    expect(names.filter((name) => name === 'from')).toHaveLength(2);
    expect(names.filter((name) => name === 'dkim-signature')).toHaveLength(1);
    expect(names.some((name) => name.startsWith('arc-') || name === 'authentication-results')).toBe(false);
  });

  it('covers what it is told to, in the order it is told', async () => {
    const { outcome } = await outcomeOf(plainMessage, undefined, { fields: ['subject', 'from', 'from', 'x-none'] });
    expect(outcome.ok && latin1(outcome.fields[1]!)).toContain('h=subject:from:from:x-none;');
  });

  it('uses digests that somebody else feeds', async () => {
    const { header, body } = parseMessage(plainMessage);
    const digests = new BodyDigests();
    const chain = await verifyChain(plainMessage, { resolver });
    const sealing = beginSealing(header, { ...options(chain), digests });
    digests.update(body);
    sealing.body(body);
    const outcome = await sealing.end();
    const fields = outcome.ok ? outcome.fields : [];
    expect((await verifyChain(Buffer.concat([...fields, plainMessage]), { resolver, now })).code).toBe('arc.pass');
  });
});

describe('verifying and sealing in one pass over the body', () => {
  it('works with digests that were asked for the relaxed body beforehand', async () => {
    const raw = await passOn(plainMessage, sealer, resolver);
    const { header, body } = parseMessage(raw);
    const digests = new BodyDigests();
    digests.request('relaxed');
    const verification = beginChainVerification(header, { resolver, now, digests });
    digests.update(body);
    const chain = await verification.end();
    const outcome = await beginSealing(header, { ...options(chain), digests }).end();
    const fields = outcome.ok ? outcome.fields : [];
    const verdict = await verifyChain(Buffer.concat([...fields, raw]), { resolver, now });
    expect(verdict).toMatchObject({ code: 'arc.pass', sets: 2, oldestPass: 0 });
  });
});

describe('RFC 8617 §5.1.2 sealing a chain that is broken', () => {
  it('says cv=fail, and nothing is added to that', async () => {
    const sealed = await passOn(await broken(), sealer, resolver);
    const verdict = await verifyChain(sealed, { resolver, now });
    expect(verdict).toMatchObject({ code: 'arc.chain-ended', sets: 2, evidence: { instance: 2 } });
    const { outcome } = await outcomeOf(sealed, verdict);
    expect(outcome).toEqual({ ok: false, problem: { code: 'arc.chain-ended', explanation: expect.any(String) } });
    expect(await seal(sealed, options(verdict))).toEqual([]);
  });

  it('takes a key that the DNS did not give for a broken chain too (§5.2.1)', async () => {
    const raw = await passOn(plainMessage, sealer, resolver);
    const chain = await verifyChain(raw, { resolver: new ZoneResolver({ [sealer.record[0]]: 'SERVFAIL' }), now });
    const [top = new Uint8Array()] = await seal(raw, options(chain));
    expect(latin1(top)).toContain('cv=fail');
  });

  it('counts on from the highest instance of a chain with a gap', async () => {
    const raw = await passOn(await passOn(plainMessage, sealer, resolver), sealer, resolver);
    const gap = Buffer.from(raw.toString('latin1').replaceAll('i=2;', 'i=5;'), 'latin1');
    const { outcome } = await outcomeOf(gap);
    expect(outcome).toMatchObject({ ok: true, instance: 6 });
  });
});

describe('what is not sealed', () => {
  const with51 = Buffer.concat([Buffer.from('ARC-Seal: i=1\r\n'.repeat(51)), plainMessage]);

  it('a chain of 50 sets', async () => {
    const chain = { ...(await verifyChain(with51, { resolver })), code: 'arc.seal-failed', sets: 50 } as const;
    expect(await unsealedCode(plainMessage, chain)).toEqual({ needsBody: false, code: 'arc.chain-full' });
  });

  it('fields too many to be read', async () => {
    expect(await unsealedCode(with51)).toEqual({ needsBody: false, code: 'arc.chain-unreadable' });
  });

  it.each([
    ['a header line that is no field', 'Not a field\r\n', 'message.malformed-field'],
    ['a bare LF in the header', 'X: a\nb\r\n', 'message.bare-line-ends'],
  ])('%s, which the next hop may change', async (_what, line, code) => {
    expect((await unsealedCode(Buffer.concat([Buffer.from(line), plainMessage]))).code).toBe(code);
  });

  it('a bare CR in the body', async () => {
    expect((await unsealedCode(Buffer.concat([plainMessage, Buffer.from('a\rb\r\n')]))).code).toBe(
      'message.bare-line-ends',
    );
  });

  it('but mail whose author is in doubt is, for a seal only tells what was seen', async () => {
    const twoFrom = Buffer.concat([Buffer.from('From: c@d.test\r\n'), plainMessage]);
    expect((await unsealedCode(twoFrom)).code).toBe('sealed');
  });
});

describe('a call that makes no sense throws', () => {
  it.each([['arc-seal'], ['authentication-results'], ['From'], ['a:b'], ['a;b'], ['']])('h= with %j', async (name) => {
    const chain = await verifyChain(plainMessage, { resolver });
    const call = () => beginSealing(parseMessage(plainMessage).header, { ...options(chain), fields: ['from', name] });
    expect(call).toThrow(SealingError);
    expect(call).toThrow(expect.objectContaining({ code: 'arc.fields-unsealable' }));
  });

  it('h= without From', async () => {
    const chain = await verifyChain(plainMessage, { resolver });
    const call = () => beginSealing(parseMessage(plainMessage).header, { ...options(chain), fields: ['to'] });
    expect(call).toThrow(expect.objectContaining({ code: 'arc.fields-unsealable' }));
  });

  it('the verdict on another message', async () => {
    const chain = await verifyChain(await passOn(plainMessage, sealer, resolver), { resolver, now });
    const call = () => beginSealing(parseMessage(plainMessage).header, options(chain));
    expect(call).toThrow(expect.objectContaining({ code: 'arc.chain-mismatch' }));
  });
});
