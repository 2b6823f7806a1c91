import { BodyDigests, beginVerification } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, Resolver } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import { beforeAll, describe, expect, it } from 'vitest';
import { beginChainVerification, seal, verifyChain } from '../src/index.ts';
import { dmarcSays, now, passOn, plainMessage, testSealer, zoneOf } from './sealer.ts';
import type { TestSealer } from './sealer.ts';

let [first, second, third]: TestSealer[] = [];
let resolver: Resolver;

beforeAll(async () => {
  [first, second, third] = await Promise.all([
    testSealer('first.test'),
    testSealer('second.test', 'ed25519-sha256', 'ed'),
    testSealer('third.test'),
  ]);
  resolver = zoneOf(first, second, third);
});

/** Counts what is asked. */
class CountingResolver implements Resolver {
  readonly asked: string[] = [];
  readonly #inner: Resolver;

  constructor(inner: Resolver) {
    this.#inner = inner;
  }

  resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    this.asked.push(name);
    return this.#inner.resolve(name, type);
  }
}

const threeHops = async (): Promise<Buffer> =>
  passOn(await passOn(await passOn(plainMessage, first!, resolver), second!, resolver), third!, resolver);

/** Changed between the first and the second hop, as a mailing list does. */
const relayed = async (): Promise<Buffer> => {
  const changed = Buffer.concat([await passOn(plainMessage, first!, resolver), Buffer.from('-- \r\nThe list\r\n')]);
  // The list saw the chain hold before it changed the message, and seals what comes out (RFC 8617 §5.1 step 1).
  const seen = await verifyChain(changed.subarray(0, -'-- \r\nThe list\r\n'.length), { resolver, now });
  const fields = await seal(changed, {
    key: second!.key,
    authenticationResults: dmarcSays('pass'),
    chain: seen,
    now,
  });
  return Buffer.concat([...fields, changed]);
};

const withOutage = (name: string): Resolver =>
  new ZoneResolver({
    ...Object.fromEntries([first!, second!, third!].map(({ record }) => [record[0], { TXT: [record[1]] }])),
    [name]: 'TIMEOUT',
  });

const tampered = async (from: string, to: string) => {
  const raw = (await passOn(plainMessage, first!, resolver)).toString('latin1').replace(from, to);
  return verifyChain(Buffer.from(raw, 'latin1'), { resolver, now });
};

const trustIn = async (raw: Buffer, ...trustedSealers: readonly string[]) =>
  (await verifyChain(raw, { resolver, now, trustedSealers })).trust;

const fieldsOf = (instance: number, padding = ''): string =>
  [
    `ARC-Seal: i=${instance}; a=rsa-sha256; cv=${instance === 1 ? 'none' : 'pass'}; d=d${instance}.test; s=s; b=AAAA${padding}\r\n`,
    `ARC-Message-Signature: i=${instance}; a=rsa-sha256; d=m${instance}.test; s=s; h=from; bh=AAAA; b=AAAA${padding}\r\n`,
    `ARC-Authentication-Results: i=${instance}; mx.test; none\r\n`,
  ].join('');

const setsOf = (count: number, padding = ''): string =>
  Array.from({ length: count }, (_, at) => fieldsOf(at + 1, padding)).join('');

describe('RFC 8617 §5.2 a chain that holds', () => {
  it('is described set by set, newest first', async () => {
    const verdict = await verifyChain(await threeHops(), { resolver, now });
    expect(verdict).toMatchObject({
      result: 'pass',
      sets: 3,
      oldestPass: 0,
      domains: ['third.test', 'second.test', 'first.test'],
    });
    expect(verdict.trust).toBeUndefined();
    expect(verdict.evidence.sets[1]).toMatchObject({
      instance: 2,
      cv: 'pass',
      seal: {
        result: 'pass',
        domain: 'second.test',
        selector: 'ed',
        algorithm: 'ed25519-sha256',
        evidence: { keyName: 'ed._domainkey.second.test', keyRecord: second!.record[1] },
      },
      messageSignature: { result: 'pass', domain: 'second.test' },
      authenticationResults: { instance: 2, ...dmarcSays('pass') },
    });
  });

  it('asks for each key once', async () => {
    const counting = new CountingResolver(resolver);
    await verifyChain(await passOn(await threeHops(), first!, resolver), { resolver: counting, now });
    expect(counting.asked.toSorted()).toEqual([first!, second!, third!].map(({ record: [name] }) => name).toSorted());
  });

  it('shares one pass over the body with DKIM', async () => {
    const { header, body } = parseMessage(await threeHops());
    const digests = new BodyDigests();
    const dkim = beginVerification(header, { resolver, now, digests });
    const arc = beginChainVerification(header, { resolver, now, digests });
    expect(arc.needsBody).toBe(true);
    arc.body(Buffer.from('not twice'));
    digests.update(body);
    expect((await dkim.end()).map(({ code }) => code)).toEqual(['dkim.none']);
    expect((await arc.end()).code).toBe('arc.pass');
  });
});

describe('RFC 8617 §5.2 step 5 oldest-pass', () => {
  it('is the set from which on the message is unchanged', async () => {
    const verdict = await verifyChain(await passOn(await relayed(), third!, resolver), { resolver, now });
    expect(verdict).toMatchObject({ result: 'pass', sets: 3, oldestPass: 2 });
    expect(verdict.evidence.sets[2]?.messageSignature).toMatchObject({
      result: 'fail',
      code: 'dkim.body-hash-mismatch',
    });
  });

  it('does not look further than the limit', async () => {
    const raw = await passOn(await relayed(), third!, resolver);
    const verdict = await verifyChain(raw, { resolver, now, limits: { maxMessageSignatures: 2 } });
    expect(verdict).toMatchObject({ result: 'pass', oldestPass: 2 });
    expect(verdict.evidence.sets[2]?.messageSignature).toEqual({ result: 'unchecked' });
  });

  it('is not there when the chain fails', async () => {
    const verdict = await verifyChain(Buffer.concat([await threeHops(), Buffer.from('more\r\n')]), { resolver, now });
    expect(verdict.result).toBe('fail');
    expect(verdict.oldestPass).toBeUndefined();
  });
});

describe('RFC 8617 §5.2.1 all failures are permanent', () => {
  it.each([0, 1, 2])(
    'a key that the DNS does not give makes the chain fail, by a code of its own (set %i)',
    async (at) => {
      const [name] = [first!, second!, third!][at]!.record;
      const verdict = await verifyChain(await threeHops(), { resolver: withOutage(name), now });
      expect(verdict).toMatchObject({ result: 'fail', code: 'arc.dns-failure' });
      expect(verdict.explanation).toContain(name);
    },
  );

  it('a failure that waiting does not mend goes first', async () => {
    const raw = Buffer.concat([await threeHops(), Buffer.from('more\r\n')]);
    const verdict = await verifyChain(raw, { resolver: withOutage(first!.record[0]), now });
    expect(verdict.code).toBe('arc.message-signature-failed');
  });

  it('the deadline of the message ends the wait', async () => {
    const silent: Resolver = { resolve: () => Promise.withResolvers<never>().promise };
    const verdict = await verifyChain(await threeHops(), { resolver: silent, now, signal: AbortSignal.abort() });
    expect(verdict.code).toBe('arc.dns-failure');
  });
});

describe('RFC 8617 §4.1 what signatures of a chain may be', () => {
  it('rsa-sha1 counts for nothing (RFC 8301)', async () => {
    const verdict = await tampered('ARC-Seal: a=rsa-sha256', 'ARC-Seal: a=rsa-sha1');
    expect(verdict.evidence.sets[0]?.seal).toMatchObject({ result: 'fail', code: 'dkim.algorithm-obsolete' });
  });

  it('a seal from the future does not hold', async () => {
    const raw = await passOn(plainMessage, first!, resolver, dmarcSays('pass'), new Date(now.getTime() + 3_600_000));
    const verdict = await verifyChain(raw, { resolver, now });
    expect(verdict.evidence.sets[0]?.seal).toMatchObject({ result: 'fail', code: 'dkim.timestamp-in-future' });
  });

  it('a key that is gone is named', async () => {
    const verdict = await verifyChain(await threeHops(), { resolver: zoneOf(second!, third!), now });
    expect(verdict).toMatchObject({ code: 'arc.seal-failed', evidence: { instance: 1 } });
    expect(verdict.explanation).toContain('rsa._domainkey.first.test');
  });

  it('a weak key does not count (RFC 8301 §3.2)', async () => {
    const verdict = await verifyChain(await threeHops(), { resolver, now, limits: { minRsaBits: 2048 } });
    expect(verdict.evidence.sets[0]?.seal).toMatchObject({ code: 'dkim.key-too-short', evidence: { keyBits: 1024 } });
  });
});

describe("the operator's trusted sealers", () => {
  it('gives the word of the oldest set below which nobody unknown sealed', async () => {
    const hop1 = await passOn(plainMessage, first!, resolver, dmarcSays('pass', 'mx.first.test'));
    const hop2 = await passOn(hop1, second!, resolver, dmarcSays('fail', 'mx.second.test'));
    const raw = await passOn(hop2, third!, resolver, { authservId: 'mx.third.test', results: [] });
    expect(await trustIn(raw, 'First.TEST', 'second.test', 'third.test')).toEqual({
      from: 1,
      complete: true,
      dmarc: {
        instance: 1,
        sealer: 'first.test',
        authservId: 'mx.first.test',
        result: 'pass',
        headerFrom: 'author.test',
      },
    });
    expect(await trustIn(raw, 'second.test', 'third.test')).toMatchObject({
      from: 2,
      complete: false,
      dmarc: { instance: 2, result: 'fail' },
    });
    expect(await trustIn(raw, 'third.test')).toEqual({ from: 3, complete: false });
    expect(await trustIn(raw, 'first.test', 'second.test')).toEqual({ from: 0, complete: false });
    expect(await trustIn(raw)).toEqual({ from: 0, complete: false });
  });

  it('does not reach below a name on the list', async () => {
    expect(await trustIn(await threeHops(), 'test')).toEqual({ from: 0, complete: false });
  });

  it('is silent about two verdicts in one set, and about what the grammar does not take', async () => {
    const { results } = dmarcSays('pass');
    const both = { authservId: 'mx.test', results: [...results, ...dmarcSays('fail').results] };
    expect(await trustIn(await passOn(plainMessage, first!, resolver, both), 'first.test')).toEqual({
      from: 1,
      complete: true,
    });
  });

  it('says nothing of a chain that fails', async () => {
    const raw = Buffer.concat([await threeHops(), Buffer.from('more\r\n')]);
    expect(await trustIn(raw, 'first.test', 'second.test', 'third.test')).toBeUndefined();
  });
});

describe('RFC 8617 §4.2.1 chains of 50 sets', { timeout: 60_000 }, () => {
  it('hold, to their last set, and take no other', async () => {
    const sealer = await testSealer('long.test', 'ed25519-sha256');
    const zone = zoneOf(sealer);
    let raw: Buffer = plainMessage;
    for (let set = 1; set <= 50; set++) raw = await passOn(raw, sealer, zone);
    const verdict = await verifyChain(raw, { resolver: zone, now });
    // Ten message signatures are checked: the oldest of them is the oldest that is known to hold.
    expect(verdict).toMatchObject({ code: 'arc.pass', sets: 50, oldestPass: 41 });
    const limits = { maxMessageSignatures: 50 };
    expect(await verifyChain(raw, { resolver: zone, now, limits })).toMatchObject({ code: 'arc.pass', oldestPass: 0 });
    expect(await passOn(raw, sealer, zone)).toEqual(raw);
    const changed = Buffer.from(raw.toString('latin1').replace('Subject: Plans', 'Subject: Planes'), 'latin1');
    expect(await verifyChain(changed, { resolver: zone, now })).toMatchObject({
      code: 'arc.message-signature-failed',
      evidence: { instance: 50 },
    });
  });
});

describe('hostile chains', () => {
  const body = plainMessage.toString('latin1');
  const countLookups = async (header: string) => {
    const counting = new CountingResolver(resolver);
    const verdict = await verifyChain(Buffer.from(header + body, 'latin1'), { resolver: counting, now });
    return { code: verdict.code, lookups: counting.asked.length };
  };
  it('1,000 sets are counted, and no more', async () => {
    expect(await countLookups(setsOf(1_000))).toEqual({ code: 'arc.too-many-sets', lookups: 0 });
  });

  it('50 sets of 64 kB fields are measured, and no more', async () => {
    expect(await countLookups(setsOf(50, 'A'.repeat(60_000)))).toEqual({ code: 'arc.too-long', lookups: 0 });
  });

  it('50 sets ask for at most 50 keys of seals and 10 of message signatures', async () => {
    expect(await countLookups(setsOf(50))).toEqual({ code: 'arc.message-signature-failed', lookups: 60 });
  });

  it('a broken structure asks for no key and no body', async () => {
    expect(await countLookups(setsOf(50).replace('i=7;', 'i=8;'))).toEqual({ code: 'arc.repeated-field', lookups: 0 });
    const { header } = parseMessage(Buffer.from(`ARC-Seal: i=1\r\n${body}`));
    expect(beginChainVerification(header, { resolver, now }).needsBody).toBe(false);
  });

  it('text of the sender cannot reach the explanation as anything but text', async () => {
    const verdict = await verifyChain(Buffer.from(`ARC-Seal: i=1; d=a\u0001{code}.test; d=b\r\n${body}`), { resolver });
    expect(verdict.explanation).not.toMatch(/\p{Cc}/u);
  });
});
