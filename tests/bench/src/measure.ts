/** Processor time of things that take little of it, on a machine that has other things to do. */

/** Milliseconds that one sample is made to last at least, by repetition: the system counts in ticks of up to four. */
const minSampleMs = 80;
const rounds = 7;

/** Milliseconds of processor time, all threads of this process, for one call. */
async function sample(run: () => Promise<unknown>, repetitions: number): Promise<number> {
  const before = process.cpuUsage();
  for (let turn = 0; turn < repetitions; turn++) await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / repetitions;
}

/**
 * For each of some runs the median of several samples, in milliseconds of processor time. The runs take turns, so that
 * a slow spell of the machine meets all of them.
 */
export async function medians(runs: readonly (() => Promise<unknown>)[]): Promise<readonly number[]> {
  const repetitions: number[] = [];
  for (const run of runs) {
    // Twice for the compiler's sake; the second says how long it takes.
    await sample(run, 1);
    repetitions.push(Math.max(1, Math.ceil(minSampleMs / Math.max(0.01, await sample(run, 1)))));
  }
  const samples: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of runs.entries()) samples[index]?.push(await sample(run, repetitions[index] ?? 1));
  }
  return samples.map((values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0);
}
