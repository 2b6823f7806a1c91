import { randomInt } from 'node:crypto';
import { readOptions } from '@zegel/test-harness';
import type { FileCoverage } from './src/coverage.ts';
import { keepInputs, loadCorpus, saveFinding } from './src/files.ts';
import { runFuzz } from './src/guard.ts';
import type { Progress } from './src/engine.ts';
import { minimise } from './src/minimise.ts';
import { targetNames } from './src/targets.ts';

const usage = `npm run fuzz [-- OPTIONS]: feeds one target, or each in turn, with input that leads to new coverage. What breaks is
made small and saved in tests/fuzz/found/, which a test replays. The status is 1 when something broke.

  --target T        only this one; may be given again: ${targetNames.join(', ')}
  --seconds N       for each target (default 60)
  --executions N    inputs for each target at most (default: as many as there is time for)
  --seed S          repeats the run with this seed (default: random, and printed)
  --keep            saves the inputs that led to new coverage in tests/fuzz/corpus/`;
const values = readOptions(usage, {
  target: { type: 'string', multiple: true },
  seconds: { type: 'string', default: '60' },
  executions: { type: 'string', default: 'Infinity' },
  seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  keep: { type: 'boolean', default: false },
});
const targets = values.target ?? targetNames;
const unknown = targets.filter((name) => !targetNames.includes(name));
if (unknown.length > 0) {
  console.error(`No such target: ${unknown.join(', ')}. There are ${targetNames.join(', ')}.`);
  process.exit(2);
}

const minimiseSeconds = 60;
let broken = 0;
for (const target of targets) {
  console.log(`${target}: seed ${values.seed}`);
  const { progress, findings, kept } = await runFuzz({
    target,
    seed: values.seed,
    seconds: Number(values.seconds),
    executions: Number(values.executions),
    corpus: loadCorpus(target),
    onProgress: (progress) => console.log(describe(progress)),
  });
  if (progress !== undefined) {
    console.log(`${target}: done. ${describe(progress)}`);
    console.log(`${target}: ${progress.coverage.map((file) => `${file.file} ${percent([file])}`).join(', ')}`);
  }
  if (values.keep) console.log(`${target}: ${keepInputs(target, kept)} inputs kept`);
  for (const finding of findings) {
    broken++;
    // Growth is nobody's in particular: no one input shows it.
    const smallest = finding.signature === 'growth' ? finding : await minimise(target, finding, minimiseSeconds);
    console.log(`${target}: BROKEN ${smallest.signature}\n${smallest.detail}`);
    if (smallest.input.length > 0) console.log(saveFinding(target, smallest));
  }
}
process.exitCode = broken > 0 ? 1 : 0;

function describe({ executions, seconds, corpus, coverage, words, heap, slowest }: Progress): string {
  return [
    `${seconds.toFixed(0)} s`,
    `${executions} inputs (${(executions / seconds).toFixed(0)}/s)`,
    `coverage ${percent(coverage)}`,
    `${words} outcomes`,
    `corpus ${corpus}`,
    `heap ${(heap / 2 ** 20).toFixed(1)} MiB`,
    `slowest ${slowest.milliseconds.toFixed(0)} ms for ${slowest.octets} octets`,
  ].join(', ');
}

function percent(files: readonly FileCoverage[]): string {
  const total = (what: 'ran' | 'known') => files.reduce((sum, file) => sum + file[what], 0);
  return `${((total('ran') / Math.max(1, total('known'))) * 100).toFixed(1)} %`;
}
