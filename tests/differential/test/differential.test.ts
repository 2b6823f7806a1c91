import { describe, expect, it } from 'vitest';
import { describeTally, runCampaign } from '../src/campaign.ts';
import { fixedSeed } from '../src/seed.ts';
import { suites } from '../src/suites.ts';
import type { SuiteName } from '../src/suites.ts';

/** A small part of what `run.ts` does in full. */
const counts: Readonly<Record<SuiteName, number>> = { mail: 500, spf: 2500 };
/** Generous: the machine may be busy with the other tests. */
const timeout = 180_000;
const seed = fixedSeed();

describe('against other implementations', { timeout }, () => {
  it.each([
    [
      'mail',
      ['mailauth', 'mailauth dmarc', 'dkimpy', 'Mail::DKIM'],
      ['dkim.pass', 'dkim.body-hash-mismatch', 'dmarc.pass-dkim'],
    ],
    ['spf', ['mailauth', 'pyspf'], ['spf.pass', 'spf.fail', 'spf.syntax-error', 'spf.too-many-lookups']],
  ] as const)('%s: every disagreement is settled', async (name, peers, words) => {
    await using suite = await suites[name].start(seed);
    const tally = await runCampaign(suite, { count: counts[name] });
    const report = describeTally(tally, seed);
    console.log(report);
    expect(tally.unsettled, report).toEqual([]);
    // Verdicts of all kinds were compared, and with everybody.
    expect([...tally.comparisons.keys()].toSorted()).toEqual([...peers].toSorted());
    expect([...tally.words.keys()]).toEqual(expect.arrayContaining([...words]));
  });
});
