/**
 * Imported for what it does, before anything else, by a program that signs in the thread pool of its process: gives that pool a
 * thread for each core. The pool is made when it is first used, which some modules do while they are loaded.
 */
import { availableParallelism } from 'node:os';

/**
 * Sets UV_THREADPOOL_SIZE to the number of cores, unless it is set; an empty one is not, which libuv would take for one thread.
 *
 * Node's own four threads are too few for more cores. On two cores they are too many: while four sign, the event loop waits its
 * turn behind them, and the slowest of a hundred requests take 1.55 times as long as the median, with two 1.25 times. On one core
 * nothing is signed in threads, and Node's four serve file access.
 */
export function fitThreadPool(cores: number, environment: Record<string, string | undefined>): void {
  if (cores > 1) environment['UV_THREADPOOL_SIZE'] ||= String(cores);
}

fitThreadPool(availableParallelism(), process.env);
