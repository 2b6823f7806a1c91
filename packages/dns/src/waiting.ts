import type { DnsAnswer, RecordType } from './resolver.ts';

/**
 * The answer, or a `timeout` when the signal comes first. The look-up itself goes on: others may wait for it too.
 */
export function waitForAnswer<T extends RecordType>(
  answer: Promise<DnsAnswer<T>>,
  signal: AbortSignal | undefined,
): Promise<DnsAnswer<T>> {
  if (signal === undefined) return answer;
  if (signal.aborted) return Promise.resolve(timedOut());
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(timedOut());
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    answer.then(resolve, reject).finally(done);
  });
}

function timedOut(): { readonly status: 'temporary-failure'; readonly reason: 'timeout'; readonly cnames: [] } {
  return { status: 'temporary-failure', reason: 'timeout', cnames: [] };
}
