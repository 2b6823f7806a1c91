import type { DecodedPacket } from 'dns-packet';

/** What came of sending one query to one server. `octets` is the length of the message. */
export type Exchange =
  | { readonly outcome: 'response'; readonly packet: DecodedPacket; readonly octets: number }
  | { readonly outcome: 'timeout' | 'network' | 'malformed' };

/** Ends the exchange with an outcome; calls after the first do nothing. */
export type Settle = (exchange: Exchange) => void;

/**
 * Runs one exchange to its end: `start` opens the socket and returns what closes it. The end is the first of
 * what the socket reports, the time that is over, and the signal. Nothing is left open afterwards, and nothing is thrown.
 */
export function runExchange(
  timeoutMs: number,
  signal: AbortSignal,
  start: (settle: Settle) => () => void,
): Promise<Exchange> {
  return new Promise((resolve) => {
    let settled = false;
    let close: (() => void) | undefined;
    const onAbort = (): void => settle({ outcome: 'timeout' });
    const timer = setTimeout(onAbort, timeoutMs);
    const settle: Settle = (exchange) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      close?.();
      resolve(exchange);
    };
    if (signal.aborted) {
      settle({ outcome: 'timeout' });
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      close = start(settle);
    } catch {
      settle({ outcome: 'network' });
    }
    if (settled) close?.();
  });
}
