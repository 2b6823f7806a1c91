/**
 * The thread in which a target runs: it can be ended from outside when an input takes too long, and its heap is bounded.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '@zegel/test-harness';
import { Coverage } from './coverage.ts';
import { fuzz } from './engine.ts';
import type { Progress } from './engine.ts';
import { signatureOf } from './target.ts';
import { loadTarget } from './targets.ts';

/** What the thread is started with. */
export interface WorkerTask {
  readonly target: string;
  /**
   * The input that is being put through, for whoever ends this thread: two words (how often one began or ended,
   * octets), then the octets.
   */
  readonly window: SharedArrayBuffer;
  readonly work:
    | { readonly kind: 'probe' }
    | {
        readonly kind: 'fuzz';
        readonly seed: string;
        readonly seconds: number;
        readonly executions: number;
        readonly corpus: readonly Uint8Array[];
        readonly maxSeeds: number;
      };
}

export type WorkerReport =
  | { readonly kind: 'kept'; readonly input: Uint8Array }
  | { readonly kind: 'failed'; readonly signature: string; readonly detail: string; readonly input: Uint8Array }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'probed'; readonly signature: string | null; readonly detail: string }
  | { readonly kind: 'done'; readonly progress: Progress };

const task = workerData as WorkerTask;
const port = parentPort;
if (port === null) throw new Error('worker.ts is a thread of guard.ts, not a program');
const report = (message: WorkerReport): void => port.postMessage(message);

const state = new Int32Array(task.window, 0, 2);
const window = new Uint8Array(task.window, 8);
const begin = (input: Uint8Array): void => {
  window.set(input.subarray(0, window.length));
  state[1] = Math.min(input.length, window.length);
  Atomics.add(state, 0, 1);
};
const finish = (): void => void Atomics.add(state, 0, 1);

if (task.work.kind === 'fuzz') {
  const { seed, seconds, executions, corpus, maxSeeds } = task.work;
  const coverage = new Coverage();
  const target = await loadTarget(task.target);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const plan = { target, coverage, random: seededRandom(seed), corpus: corpus.map((input) => Buffer.from(input)) };
  const progress = await fuzz(
    { ...plan, seconds, executions, maxSeeds },
    {
      begin,
      finish,
      kept: (input) => report({ kind: 'kept', input }),
      failed: (failure) => report({ kind: 'failed', ...failure }),
      progress: (progress) => report({ kind: 'progress', progress }),
    },
    collectGarbage,
  );
  coverage.end();
  report({ kind: 'done', progress });
} else {
  const target = await loadTarget(task.target);
  port.on('message', (bytes: Uint8Array) => void probe(Buffer.from(bytes)));

  async function probe(input: Buffer): Promise<void> {
    begin(input);
    try {
      await target.run(input);
      report({ kind: 'probed', signature: null, detail: '' });
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report({ kind: 'probed', signature: signatureOf(error), detail });
    } finally {
      finish();
    }
  }
}
