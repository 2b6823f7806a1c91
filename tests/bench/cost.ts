import { cpus, loadavg, totalmem } from 'node:os';
import { readOptions } from '@zegel/test-harness';
import { hostileInputs } from './src/hostile.ts';
import type { HostileInput } from './src/hostile.ts';
import { medians } from './src/measure.ts';

/** Milliseconds of processor time to a verdict with default limits. */
const maxVerdictMs = 100;
/**
 * How much more time twice the input may take: twice, and the 30 % that measuring is out by. On the mean of three doublings,
 * since a collection of garbage that the smaller size did not need can make one of them look worse; what grows with the square
 * makes four of it.
 */
const maxGrowth = 2 * 1.3;
/** Milliseconds below which a time is noise. */
const minMs = 0.05;

const usage = `npm run bench -- cost [--only WORD]: time against size for hostile inputs, as a table. With default limits a verdict
within 100 ms, and with the limits out of the way at most twice the time for twice the input, give or take 30 %. The status is 1 when
a target is missed.

  --only WORD    inputs whose name holds it`;
const values = readOptions(usage, { only: { type: 'string', default: '' } });
const [processor] = cpus();
const memory = Math.round(totalmem() / 2 ** 30);
console.log(
  `Node ${process.version}, ${cpus().length} × ${processor?.model ?? 'unknown'}, ${memory} GiB, ${process.platform}.`,
);
console.log(`Load before: ${describeLoad()}. Medians of seven samples, processor time of all threads.\n`);
console.log(
  '| Input | Inside the limits | A verdict | Beyond them | A verdict | Limits raised: an eighth, a quarter, half, all | Growth | Holds |',
);
console.log('| --- | --- | ---: | --- | ---: | ---: | ---: | --- |');
let missed = 0;
for (const input of hostileInputs.filter(({ name }) => name.includes(values.only))) {
  const row = await measure(input);
  if (!row.holds) missed++;
  console.log(`| ${row.cells.join(' | ')} | ${row.holds ? 'yes' : '**no**'} |`);
}
console.log(
  `\nLoad after: ${describeLoad()}. ${missed === 0 ? 'Every target holds.' : `${missed} inputs miss a target.`}`,
);
process.exitCode = missed === 0 ? 0 : 1;

async function measure(input: HostileInput): Promise<{ readonly cells: readonly string[]; readonly holds: boolean }> {
  const { name, unit, inside, largest } = input;
  const [insideMs = 0, beyondMs = 0] = await medians([await input.byDefault(inside), await input.byDefault(largest)]);
  const works = [];
  for (const part of [8, 4, 2, 1]) works.push(await input.unlimited(largest / part));
  const times = await medians(works);
  const growth = Math.cbrt((times[3] ?? 0) / Math.max(minMs, times[0] ?? 0));
  return {
    cells: [
      name,
      `${number(inside)} ${unit}`,
      `${milliseconds(insideMs)} ms`,
      number(largest),
      `${milliseconds(beyondMs)} ms`,
      `${times.map(milliseconds).join(', ')} ms`,
      growth.toFixed(2),
    ],
    holds: Math.max(insideMs, beyondMs) <= maxVerdictMs && growth <= maxGrowth,
  };
}

function number(size: number): string {
  return size.toLocaleString('en');
}

function milliseconds(time: number): string {
  return time < 10 ? time.toFixed(2) : time.toFixed(0);
}

function describeLoad(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(', ');
}
