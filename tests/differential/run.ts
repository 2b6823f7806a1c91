import { readOptions } from '@zegel/test-harness';
import { describeTally, runCampaign } from './src/campaign.ts';
import { settledDisagreements, suiteOf } from './src/rulings.ts';
import { fixedSeed } from './src/seed.ts';
import { isSuiteName, suites } from './src/suites.ts';
import type { SuiteName } from './src/suites.ts';

const usage = `npm run differential [-- OPTIONS]: asks others the same as us, with random input. The status is 1 when a disagreement is
not settled by a rule.

  --suite NAME    only this one; may be given again: ${Object.keys(suites).join(', ')}
  --count N       inputs of each suite
  --first N       the number of the first input: repeats one of a run with --count 1
  --seed S        other input (default 1, or ZEGEL_SEED)
  --table         prints the rules that settle disagreements`;
const values = readOptions(usage, {
  suite: { type: 'string', multiple: true },
  count: { type: 'string' },
  seed: { type: 'string' },
  first: { type: 'string' },
  table: { type: 'boolean' },
});

function wholeNumber(option: 'count' | 'seed' | 'first'): number | undefined {
  const text = values[option];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/u.test(text)) throw new Error(`--${option} must be a whole number, not "${text}"`);
  return Number(text);
}

/** How often the progress line is written anew, in inputs. */
const progressEvery = 250;

async function runSuite(name: SuiteName, seed: number): Promise<boolean> {
  const count = wholeNumber('count') ?? suites[name].count;
  const started = performance.now();
  await using suite = await suites[name].start(seed);
  const tally = await runCampaign(suite, {
    first: wholeNumber('first') ?? 0,
    count,
    progress(done, unsettled) {
      if (done % progressEvery !== 0 && done !== count) return;
      const perSecond = Math.round((done / (performance.now() - started)) * 1000);
      process.stderr.write(`\r${name}: ${done} of ${count}, ${perSecond} a second, ${unsettled} unsettled`);
    },
  });
  process.stderr.write('\n');
  console.log(describeTally(tally, seed));
  console.log(`  took ${Math.round((performance.now() - started) / 1000)} s`);
  // A ruling that nothing needs any more hides whatever comes to fit it.
  const idle = settledDisagreements.filter((ruling) => suiteOf(ruling) === name && !tally.settled.has(ruling.id));
  if (count >= suites[name].count && idle.length > 0)
    console.log(`  idle rulings: ${idle.map(({ id }) => id).join(', ')}`);
  return tally.unsettled.length === 0;
}

if (values.table === true) {
  for (const { id, what, standard } of settledDisagreements) console.log(`${id}\n  ${what}\n  ${standard}\n`);
} else {
  const seed = wholeNumber('seed') ?? fixedSeed();
  const names = values.suite ?? Object.keys(suites);
  let settled = true;
  for (const name of names) {
    if (!isSuiteName(name)) throw new Error(`No suite "${name}": there are ${Object.keys(suites).join(', ')}`);
    settled = (await runSuite(name, seed)) && settled;
  }
  process.exitCode = settled ? 0 : 1;
}
