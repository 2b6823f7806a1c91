import { Prober } from './guard.ts';
import type { Finding } from './guard.ts';

/**
 * The smallest input found that breaks in the same way: stretches are left out, ever shorter ones, as long as that is
 * so. `seconds` bounds the search.
 */
export async function minimise(target: string, finding: Finding, seconds: number): Promise<Finding> {
  const prober = new Prober(target);
  const until = performance.now() + seconds * 1000;
  let best = finding;
  for (let stretch = Math.ceil(best.input.length / 2); stretch >= 1; stretch = Math.floor(stretch / 2)) {
    for (let at = 0; at < best.input.length && performance.now() < until;) {
      const found = await prober.probe(Buffer.concat([best.input.subarray(0, at), best.input.subarray(at + stretch)]));
      if (found?.signature === best.signature) best = found;
      else at += stretch;
    }
  }
  await prober.end();
  return best;
}
