import { verifyChain } from '@zegel/arc';
import { editMessage } from '@zegel/message';
import { describe, expect, it } from 'vitest';
import { bytesOf, check, context, keyFor, message, now, options, resolver, signed } from './ground.ts';

const sealingKey = keyFor('attack.test');
const forged = 'Authentication-Results: mx.example.net; dkim=pass\r\n';

const seal = async (text: string): Promise<Buffer> => {
  const { edits } = await check(text, { options: { sealingKey } });
  return Buffer.from(editMessage(bytesOf(text), edits));
};

describe('RFC 8617 §5.1 sealing', () => {
  it('is off unless there is a key', async () => {
    const { report, edits } = await check(await signed());
    expect(report.arc).toMatchObject({ result: 'none', sets: 0 });
    expect(report.authenticationResults).not.toMatch(/\sarc=/);
    expect(edits.prepend).toHaveLength(1);
  });

  it('is over the header as it is without the forged fields, and holds at the next hop', async () => {
    const sealed = await seal(forged + (await signed()));
    expect(sealed.toString('latin1')).not.toContain(forged);
    expect(await verifyChain(sealed, { resolver, now })).toMatchObject({ result: 'pass', sets: 1, oldestPass: 0 });
  });

  it('adds to the chain it found, and reports that', async () => {
    const once = (await seal(await signed())).toString('latin1');
    const { report } = await check(once, { options: { trustedSealers: ['attack.test'] } });
    expect(report.arc).toMatchObject({
      result: 'pass',
      sets: 1,
      trust: { from: 1, complete: true, dmarc: { result: 'pass' } },
    });
    expect(report.authenticationResults.replaceAll(/\s+/g, ' ')).toContain('arc=pass header.oldest-pass=0');
    const twice = await seal(once);
    expect(await verifyChain(twice, { resolver, now })).toMatchObject({ result: 'pass', sets: 2 });
  });

  it('leaves a chain alone whose keys the DNS does not give', async () => {
    const once = (await seal(await signed())).toString('latin1');
    const silentDns = {
      resolve: async () => ({ status: 'temporary-failure', reason: 'timeout', cnames: [] }) as const,
    };
    const { report, edits } = await check(once, { options: { sealingKey, resolver: silentDns } });
    expect(report.arc.code).toBe('arc.dns-failure');
    expect(edits.prepend).toHaveLength(1);
  });

  it('is not made for a message that mixes line ends', async () => {
    const { edits } = await check(`${message}a\nb\r\n`, { options: { sealingKey } });
    expect(edits.prepend).toHaveLength(1);
  });

  it('is not made above a limit', async () => {
    const { report, edits } = await check(message, { options: { sealingKey, limits: { maxHeaderFields: 1 } } });
    expect(report.arc).toMatchObject({ result: 'fail', code: 'message.limit-exceeded' });
    expect(edits.prepend).toHaveLength(1);
  });
});

const fields = async (changes: Parameters<typeof check>[1]): Promise<string[]> =>
  (await check(message, changes)).edits.prepend.map((field) => Buffer.from(field).toString());

describe('RFC 7208 §9.1 Received-SPF', () => {
  it('stands below Authentication-Results when asked for', async () => {
    const [results, received, ...rest] = await fields({ options: { receivedSpf: true } });
    expect(results).toMatch(/^Authentication-Results: /);
    expect(received).toMatch(/^Received-SPF: pass /);
    expect(received).toContain('identity=mailfrom;');
    expect(rest).toEqual([]);
  });

  it('is about HELO when no reverse-path is known, and not there when nothing is', async () => {
    const { session } = context;
    const [, received] = await fields({
      context: { ...(session && { session }) },
      options: { ...options, receivedSpf: true },
    });
    expect(received).toContain('identity=helo;');
    expect(await fields({ context: {}, options: { receivedSpf: true } })).toHaveLength(1);
  });
});
