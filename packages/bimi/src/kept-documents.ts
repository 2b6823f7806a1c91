/**
 * Keeps what was fetched for a while. A sender's mail comes in numbers, and whoever names a URL in a record should not be
 * able to turn each message into a request to somebody else's server.
 */
import type { DocumentFetcher, FetchedDocument } from './fetch-document.ts';
import type { BimiLimits } from './limits.ts';

interface Entry {
  readonly document: Promise<FetchedDocument>;
  /** Milliseconds since the epoch; none while the fetch is under way. */
  until: number;
  bytes: number;
}

/**
 * A fetcher that asks `fetchDocument` once for all that want the same document at the same time, and again only when it
 * has been kept long enough. A signal ends the wait of the one who gave it; the fetch goes on for the others, up to its own
 * time limit.
 */
export function keepDocuments(fetchDocument: DocumentFetcher, limits: BimiLimits, now: () => Date): DocumentFetcher {
  // In the order of their last use.
  const entries = new Map<string, Entry>();
  let keptBytes = 0;

  const drop = (key: string, entry: Entry): void => {
    if (entries.get(key) !== entry) return;
    entries.delete(key);
    keptBytes -= entry.bytes;
  };

  const keep = (key: string, entry: Entry, document: FetchedDocument): void => {
    if (entries.get(key) !== entry) return;
    const fetched = document.status === 'fetched';
    entry.until = now().getTime() + (fetched ? limits.keepTime : limits.keepFailureTime);
    entry.bytes = fetched ? document.body.length : 0;
    keptBytes += entry.bytes;
    for (const [oldestKey, oldest] of entries) {
      if (entries.size <= limits.keptDocuments && keptBytes <= limits.keptBytes) break;
      drop(oldestKey, oldest);
    }
  };

  return ({ signal, ...request }) => {
    const key = `${request.mediaTypes[0] ?? ''} ${request.url}`;
    let entry = entries.get(key);
    if (entry !== undefined && entry.until <= now().getTime()) {
      drop(key, entry);
      entry = undefined;
    }
    if (entry === undefined) {
      const started: Entry = {
        document: fetchDocument(request).then(
          (document) => {
            keep(key, started, document);
            return document;
          },
          (error: unknown) => {
            drop(key, started);
            throw error;
          },
        ),
        until: Infinity,
        bytes: 0,
      };
      entry = started;
    }
    entries.delete(key);
    entries.set(key, entry);
    return waitFor(entry.document, request.url, signal);
  };
}

function waitFor(
  document: Promise<FetchedDocument>,
  url: string,
  signal: AbortSignal | undefined,
): Promise<FetchedDocument> {
  if (signal === undefined) return document;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve({ status: 'failed', url, failure: 'timeout' });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    document.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
