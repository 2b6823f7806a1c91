import type { DnsAnswer, RecordType } from './resolver.ts';

/**
 * Who waits under which signal. A signal has one listener however many wait: adding one for each look-up and taking it
 * away again costs more than the look-up of a known answer.
 */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * The answer, or a `timeout` when the signal comes first. The look-up itself goes on: others may wait for it too.
 */
export function waitForAnswer<T extends RecordType>(
  answer: Promise<DnsAnswer<T>>,
  signal: AbortSignal | undefined,
): Promise<DnsAnswer<T>> {
  if (signal === undefined) return answer;
  if (signal.aborted) return Promise.resolve(timedOut());
  const waiters = waitersOf(signal);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(timedOut());
    waiters.add(onAbort);
    const leave = (): boolean => waiters.delete(onAbort);
    answer.then(resolve, reject);
    answer.then(leave, leave);
  });
}

function waitersOf(signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal);
  if (known !== undefined) return known;
  const waiters = new Set<() => void>();
  waiting.set(signal, waiters);
  const onAbort = (): void => {
    for (const giveUp of waiters) giveUp();
    waiters.clear();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return waiters;
}

function timedOut(): { readonly status: 'temporary-failure'; readonly reason: 'timeout'; readonly cnames: [] } {
  return { status: 'temporary-failure', reason: 'timeout', cnames: [] };
}
