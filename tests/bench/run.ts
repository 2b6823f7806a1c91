import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readOptions } from '@zegel/test-harness';
import { toChart } from './src/chart.ts';
import { toMarkdown } from './src/markdown.ts';
import { measureSpeed, speedOptions } from './src/speed.ts';

const usage = `npm run bench [-- OPTIONS]: how fast we are, beside the floor and the peers. npm run bench -- cost prints what hostile
input costs instead, npm run bench -- milter compares milters; each has a --help of its own.

  --only WORD,WORD    races and parts whose name holds a word: sign, verify, spf, dmarc, auth, body, growth, memory, start, rest
  --rounds N          rounds of each race (default ${speedOptions.rounds})
  --sample SECONDS    processor time of one sample (default ${speedOptions.sampleSeconds})
  --long              growth to 100 MB and ten million verifications: adds half an hour
  --out FOLDER        writes results.json, results.md and chart.svg there; tables go to standard output in any case`;

if (process.argv[2] === 'cost') {
  process.argv.splice(2, 1);
  await import('./cost.ts');
} else {
  await runSpeed();
}

async function runSpeed(): Promise<void> {
  const values = readOptions(usage, {
    only: { type: 'string' },
    rounds: { type: 'string' },
    sample: { type: 'string' },
    long: { type: 'boolean', default: false },
    out: { type: 'string' },
  });
  const results = await measureSpeed({
    ...speedOptions,
    only: values.only?.split(',') ?? [],
    rounds: positive(values.rounds ?? String(speedOptions.rounds)),
    sampleSeconds: positive(values.sample ?? String(speedOptions.sampleSeconds)),
    ...(values.long ? { largest: 100_000_000, verifications: 10_000_000 } : {}),
    onStep: (what) => process.stderr.write(`bench: ${what}\n`),
  });
  const markdown = toMarkdown(results);
  console.log(markdown);
  if (values.out === undefined) return;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(path.join(values.out, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(path.join(values.out, 'results.md'), markdown);
  writeFileSync(path.join(values.out, 'chart.svg'), toChart(results));
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`${text} is not a number above zero`);
}
