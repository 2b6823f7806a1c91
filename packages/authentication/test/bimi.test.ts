import { describe, expect, it } from 'vitest';
import type { BimiSupport, BimiVerdict } from '../src/index.ts';
import { check, message, signed } from './ground.ts';

const verdict: BimiVerdict = {
  result: 'pass',
  code: 'bimi.pass',
  explanation: 'Indeed.',
  domain: 'example.com',
  selector: 'default',
  authorityResult: 'pass',
  evidence: {},
};

/** BIMI's own tests are where it is made; here it only has to be asked. */
function support(asked: string[] = []): BimiSupport {
  return {
    async check({ dmarc }) {
      asked.push(dmarc.code);
      return verdict;
    },
    findFields: () => [{ name: 'bimi-location', occurrence: 1 }],
  };
}

describe('BIMI', () => {
  it('is not part of the report unless asked for', async () => {
    const { report, edits } = await check(await signed());
    expect(report.bimi).toBeUndefined();
    expect(edits.remove).toEqual([]);
  });

  it('is asked with the verdict of DMARC, reported, written, and its forged fields go', async () => {
    const asked: string[] = [];
    const { report, edits } = await check(await signed(), { options: { bimi: support(asked) } });
    expect(asked).toEqual(['dmarc.pass-both']);
    expect(report.bimi).toEqual(verdict);
    expect(report.authenticationResults.replaceAll(/\s+/g, ' ')).toContain(
      'bimi=pass header.d=example.com header.selector=default policy.authority=pass',
    );
    expect(edits.remove).toEqual([{ name: 'bimi-location', occurrence: 1 }]);
  });

  it('is not asked above a limit, and its forged fields go all the same', async () => {
    const asked: string[] = [];
    const { report, edits } = await check(message, {
      options: { bimi: support(asked), limits: { maxHeaderFields: 1 } },
    });
    expect(asked).toEqual([]);
    expect(report.bimi).toBeUndefined();
    expect(edits.remove).toHaveLength(1);
  });
});
