import { ExpiringCache } from '@zegel/keystore';
import type { LoginMap } from '@zegel/mail-policy';
import { authorEntries } from '@zegel/service-runtime/config';
import { LoginMapError } from './errors.ts';
import { groundLimits } from './limits.ts';

/** How a map of logins is asked over HTTP. */
export interface HttpLoginMapOptions {
  /** `{login}` in it is replaced, percent-encoded. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** For the whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  /** How long an answer holds, in milliseconds; also that a login is not known. */
  readonly cacheMs: number;
  /** Milliseconds since any fixed point; default: `performance.now`. */
  readonly now?: () => number;
}

/**
 * A map of logins behind HTTP. `GET` answers 200 with JSON, `{"authors": […]}` or the list itself, or 404 for a login that is
 * not known. Redirects are not followed.
 *
 * Rejects with a {@link LoginMapError} for anything else: another status, an answer that is too long, too late or no such
 * JSON. A failure is never kept, and never taken for an answer.
 */
export function createHttpLoginMap(options: HttpLoginMapOptions): LoginMap {
  const { cacheMs, now = () => performance.now() } = options;
  const answers = new ExpiringCache<readonly string[] | null>({
    size: groundLimits.maxCachedLogins,
    ttlMs: cacheMs,
    now,
  });
  return {
    // A login above the limit is no login of anybody.
    entriesOf: async (login) =>
      login.length > groundLimits.maxLoginLength ? [] : answers.get(login, () => ask(login, options)),
  };
}

async function ask(login: string, { url, token, timeoutMs }: HttpLoginMapOptions): Promise<readonly string[] | null> {
  const address = url.replaceAll('{login}', () => encodeURIComponent(login.toWellFormed()));
  let text: string;
  try {
    const response = await fetch(address, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { Accept: 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
    });
    if (response.status !== 200) await response.body?.cancel();
    if (response.status === 404) return null;
    if (response.status !== 200) throw new LoginMapError(`the map of logins answers ${response.status}`);
    text = await boundedText(response);
  } catch (error) {
    if (error instanceof LoginMapError) throw error;
    // The cause may hold the URL, and with it the login.
    const why = error instanceof Error && error.name === 'TimeoutError' ? `within ${timeoutMs} ms` : 'at all';
    throw new LoginMapError(`the map of logins does not answer ${why}`);
  }
  const parsed = authorEntries.safeParse(entriesIn(text));
  if (!parsed.success) throw new LoginMapError('the map of logins answers something else than a list of authors');
  if (parsed.data.length > groundLimits.maxLoginAuthors) {
    throw new LoginMapError(`the map of logins answers more than ${groundLimits.maxLoginAuthors} authors`);
  }
  return parsed.data;
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > groundLimits.maxLoginAnswerBytes) {
      throw new LoginMapError(`the map of logins answers more than ${groundLimits.maxLoginAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

function entriesIn(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return typeof value === 'object' && value !== null && 'authors' in value ? value.authors : value;
}
