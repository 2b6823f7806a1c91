import type { PGlite } from '@electric-sql/pglite';
import { TRANSACTION_IDLE_LIMIT } from './limits.ts';
import { PgliteSession } from './pglite-session.ts';
import { channelOf, errorFrame, frame, splitFrames, statementOf, subscriptionOf } from './wire.ts';
import type { Frame } from './wire.ts';

interface Waiting {
  readonly session: PgliteSession;
  readonly request: readonly Frame[];
}

/**
 * Many sessions on one PGlite, which has a single backend: requests run one at a time, and from BEGIN to COMMIT or
 * ROLLBACK only those of the session that began (PGlite's ReadyForQuery says so, not the statement's text).
 * Notifications go to the sessions that listen to their channel.
 *
 * What the sessions still share is the backend's state outside transactions: `SET` without LOCAL, named prepared
 * statements, temporary tables and session-level advisory locks. A program that holds a transaction open and waits for
 * another session inside it waits until the transaction is closed for idling.
 */
export class PgliteExchange {
  readonly #pglite: PGlite;
  readonly #channels = new Map<PgliteSession, Set<string>>();
  #waiting: Waiting[] = [];
  /** The session inside a transaction: nobody else is served. */
  #holder: PgliteSession | null = null;
  #idle: NodeJS.Timeout | undefined;
  #running = false;
  #broken: Error | null = null;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  /** A new session, as the `stream` of a `pg` client. */
  open(): PgliteSession {
    const session = new PgliteSession(this);
    this.#channels.set(session, new Set());
    return session;
  }

  /** Queues one request: frames up to a Query or a Sync. The response is pushed into the session. */
  submit(session: PgliteSession, request: readonly Frame[]): void {
    if (!this.#channels.has(session)) return;
    this.#waiting.push({ session, request });
    void this.#run();
  }

  /** Forgets a session; a transaction it has open is rolled back. */
  leave(session: PgliteSession): void {
    this.#channels.delete(session);
    this.#waiting = this.#waiting.filter((waiting) => waiting.session !== session);
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    clearTimeout(this.#idle);
    try {
      for (;;) {
        if (this.#holder !== null && !this.#channels.has(this.#holder)) await this.#rollBack();
        const next = this.#next();
        if (next === undefined) break;
        await this.#serve(next);
      }
    } catch (error) {
      this.#break(error);
    } finally {
      this.#running = false;
    }
    const holder = this.#holder;
    if (holder !== null) {
      this.#idle = setTimeout(() => {
        holder.fail(errorFrame('FATAL', '25P03', 'terminating connection due to idle-in-transaction timeout'));
        this.leave(holder);
      }, TRANSACTION_IDLE_LIMIT);
      this.#idle.unref();
    }
  }

  #next(): Waiting | undefined {
    if (this.#holder === null) return this.#waiting.shift();
    const index = this.#waiting.findIndex(({ session }) => session === this.#holder);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  async #serve({ session, request }: Waiting): Promise<void> {
    if (this.#broken !== null) {
      session.fail(errorFrame('FATAL', '58000', this.#broken.message));
      return;
    }
    const response = await this.#ask(Buffer.concat(request.map(({ bytes }) => bytes)));
    const failed = response.some(({ type }) => type === 'E');
    if (!failed) await this.#subscribe(session, request);
    this.#holder = statusOf(response) === 'I' ? null : session;
    deliver(session, response);
  }

  async #ask(request: Buffer): Promise<readonly Frame[]> {
    const response = splitFrames(Buffer.from(await this.#pglite.execProtocolRaw(request))).frames;
    this.#notify(response);
    return response;
  }

  async #rollBack(): Promise<void> {
    this.#holder = null;
    if (this.#broken === null) await this.#ask(frame('Q', 'ROLLBACK'));
  }

  /** Keeps who listens to what. The one backend must go on listening while any session does. */
  async #subscribe(session: PgliteSession, request: readonly Frame[]): Promise<void> {
    for (const received of request) {
      const statement = statementOf(received);
      const subscription = statement === null ? null : subscriptionOf(statement);
      if (subscription === null) continue;
      const channels = this.#channels.get(session);
      if (subscription.verb === 'listen') {
        channels?.add(subscription.channel);
        continue;
      }
      if (subscription.verb === 'unlisten-all') channels?.clear();
      else channels?.delete(subscription.channel);
      const wanted = new Set([...this.#channels.values()].flatMap((set) => [...set]));
      for (const channel of wanted) await this.#ask(frame('Q', `LISTEN "${channel.replaceAll('"', '""')}"`));
    }
  }

  #notify(response: readonly Frame[]): void {
    for (const received of response) {
      if (received.type !== 'A') continue;
      const channel = channelOf(received);
      for (const [session, channels] of this.#channels) if (channels.has(channel)) session.push(received.bytes);
    }
  }

  /** PGlite itself failed: every session ends, and so does every later one at its first request. */
  #break(error: unknown): void {
    this.#broken = new Error('the embedded database has stopped', { cause: error });
    this.#holder = null;
    this.#waiting = [];
    for (const session of this.#channels.keys()) session.fail(errorFrame('FATAL', '58000', this.#broken.message));
  }
}

function statusOf(response: readonly Frame[]): string {
  const ready = response.findLast(({ type }) => type === 'Z');
  if (ready === undefined) throw new Error('the embedded database gave no ReadyForQuery');
  return String.fromCharCode(ready.bytes[5] ?? 0);
}

/** Hands a response on without its notifications, which only listeners may see. */
function deliver(session: PgliteSession, response: readonly Frame[]): void {
  if (session.destroyed) return;
  session.push(Buffer.concat(response.filter(({ type }) => type !== 'A').map(({ bytes }) => bytes)));
}
