import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, Resolver, ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { check, message, zone } from './ground.ts';

/** Counts questions. */
class CountingResolver implements Resolver {
  asked = 0;
  readonly #zone: ZoneResolver;

  constructor(declaration: ZoneDeclaration) {
    this.#zone = new ZoneResolver(declaration);
  }

  resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    this.asked++;
    return this.#zone.resolve(name, type);
  }
}

const tags = (selector: string): string => `a=ed25519-sha256; d=example.com; s=${selector}; b=AAAA`;
const coverage = 'bh=AAAA; h=from';

/** Ten signatures and a chain of fifty sets, each key at a name of its own. */
const junk = [
  ...Array.from({ length: 10 }, (_, n) => `DKIM-Signature: v=1; ${tags(`d${n}`)}; ${coverage}\r\n`),
  ...Array.from({ length: 50 }, (_, n) => {
    const i = n + 1;
    return [
      `ARC-Seal: i=${i}; cv=${i === 1 ? 'none' : 'pass'}; ${tags(`s${i}`)}\r\n`,
      `ARC-Message-Signature: i=${i}; ${tags(`m${i}`)}; ${coverage}\r\n`,
      `ARC-Authentication-Results: i=${i}; attack.test; none\r\n`,
    ].join('');
  }),
].join('');

/** SPF records that take as many questions as the limits let them. */
function greedy(domain: string): ZoneDeclaration {
  const terms = Array.from({ length: 10 }, (_, n) => `mx:m${n}.${domain}`);
  const hosts = (n: number): readonly (readonly [number, string])[] =>
    Array.from({ length: 10 }, (_, host) => [host, `h${host}.m${n}.${domain}`] as const);
  return Object.fromEntries([
    [domain, { TXT: [`v=spf1 ${terms.join(' ')} -all`] }],
    ...terms.flatMap((_, n) => [
      [`m${n}.${domain}`, { MX: hosts(n) }],
      ...hosts(n).map(([, host]) => [host, { A: ['192.0.2.9'] }]),
    ]),
  ]) as ZoneDeclaration;
}

/** The victim's own record is long, but within its limits. */
const victim: ZoneDeclaration = {
  ...zone,
  ...greedy('example.com'),
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject'] },
};

describe('the look-ups of one message', () => {
  it('cannot be used up by one check at the cost of another: a forgery fails, whatever else is asked for', async () => {
    const resolver = new CountingResolver({ ...victim, ...greedy('attack.test') });
    const { report } = await check(junk + message.replace('ann@example.com', 'ann@a.b.c.example.com'), {
      context: {
        session: { ip: '192.0.2.66', helo: 'attack.test' },
        envelope: { mailFrom: 'ann@example.com' },
      },
      options: { resolver },
    });
    expect(report.arc.sets).toBe(50);
    expect(report.spf.mailFrom).toMatchObject({ code: 'spf.fail' });
    expect(report.dmarc).toMatchObject({ code: 'dmarc.not-authenticated', disposition: 'reject' });
    expect(report.limits).toEqual([]);
    expect(resolver.asked).toBeLessThan(400);
  });

  it('are bounded in each check, and the report says which end was cut off', async () => {
    const resolver = new CountingResolver(victim);
    const signatures = Array.from({ length: 250 }, (_, n) => `DKIM-Signature: v=1; ${tags(`d${n}`)}; ${coverage}\r\n`);
    const { report } = await check(signatures.join('') + message, {
      context: {},
      options: { resolver, limits: { maxSignatures: 250 } },
    });
    expect(report.limits).toEqual(['dns.too-many-lookups']);
    expect(report.dkim.filter(({ result }) => result === 'temperror')).toHaveLength(50);
    expect(report.dmarc.code).toBe('dmarc.identifier-temporary-error');
  });
});
