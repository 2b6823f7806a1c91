import { ZoneResolver } from '@zegel/dns';
import { checkHost } from '@zegel/spf';
import { spf as mailauthSpf } from 'mailauth/lib/spf/index.js';
import type { Comparison, Suite } from '../campaign.ts';
import { nodeDns } from '../node-dns.ts';
import { findRuling } from '../ruling.ts';
import { spfCase } from './case.ts';
import type { SpfCase } from './case.ts';
import { startPyspf } from './pyspf.ts';
import { spfRulings } from './rulings.ts';

/** Random SPF records: our `checkHost`, mailauth in strict mode and pyspf on the same zone. */
export async function spfSuite(seed: number): Promise<Suite> {
  const pyspf = await startPyspf();
  return {
    name: 'spf',
    async compare(index) {
      const subject = spfCase(seed, index);
      const resolver = new ZoneResolver(subject.dns);
      const { ip, helo, mailFrom } = subject;
      const [ours, mailauth, python] = await Promise.all([
        checkHost({ ip, helo, mailFrom, resolver }),
        askMailauth(subject, resolver),
        pyspf.check(subject),
      ]);
      const comparisons = [
        { peer: 'mailauth', ...mailauth },
        { peer: 'pyspf', ...python },
      ].map(({ peer, result, detail }): Comparison => {
        const said = { ours: ours.code, theirs: detail === '' ? result : `${result} (${detail})` };
        if (result === ours.result) return { peer, ...said, agrees: true };
        return {
          peer,
          ...said,
          agrees: false,
          ruling: findRuling(spfRulings, peer, { subject, ours, result, detail }),
        };
      });
      return { comparisons, input: Buffer.from(JSON.stringify(subject)) };
    },
    [Symbol.asyncDispose]: () => pyspf[Symbol.asyncDispose](),
  };
}

async function askMailauth(subject: SpfCase, resolver: ZoneResolver): Promise<{ result: string; detail: string }> {
  const { ip, helo, mailFrom } = subject;
  const { status } = await mailauthSpf({
    sender: mailFrom,
    ip,
    helo,
    mta: 'mx.example',
    strict: true,
    resolver: nodeDns(resolver),
  });
  return { result: status.result, detail: status.result.endsWith('error') ? (status.comment ?? '') : '' };
}
