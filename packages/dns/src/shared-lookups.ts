import { MAX_LOOKUPS_PER_MESSAGE } from './limits.ts';
import { normalizeName } from './name.ts';
import type { DnsAnswer, RecordType, ResolveOptions, Resolver } from './resolver.ts';
import { waitForAnswer } from './waiting.ts';

export interface SharedLookupsOptions {
  /** The deadline of the message: when it comes, every look-up that is still open answers `timeout`. */
  readonly signal?: AbortSignal;
  /** Distinct questions that may be asked, those of shares not counted; default 200. */
  readonly maxLookups?: number;
}

/**
 * The look-ups of one message. Each question is asked once, however many checks ask it and whenever they do,
 * failures included, so that all checks of a message see the same DNS. Make one for each message.
 *
 * A question beyond the maximum is not asked and answers `refused`; `exhausted` then says so. Checks of which one must not
 * use up what another needs take a {@link SharedLookups.share} each.
 */
export class SharedLookups implements Resolver {
  readonly #lookups: Lookups;
  readonly #own: Share;

  constructor(resolver: Resolver, options: SharedLookupsOptions = {}) {
    this.#lookups = new Lookups(resolver, options.signal);
    this.#own = new Share(this.#lookups, options.maxLookups ?? MAX_LOOKUPS_PER_MESSAGE);
  }

  /** Distinct questions asked so far. */
  get lookups(): number {
    return this.#lookups.count;
  }

  /** Whether a question was turned down because the maximum was reached. */
  get exhausted(): boolean {
    return this.#lookups.exhausted;
  }

  resolve<T extends RecordType>(name: string, type: T, options?: ResolveOptions): Promise<DnsAnswer<T>> {
    return this.#own.resolve(name, type, options);
  }

  /** What the resolver below knows counts as asked. */
  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    return this.#own.known(name, type);
  }

  /**
   * The same look-ups with a maximum of their own, and a place of their own among those who wait. What anybody has asked
   * already counts against no other maximum.
   */
  share(maxLookups: number = MAX_LOOKUPS_PER_MESSAGE): Resolver {
    return new Share(this.#lookups, maxLookups);
  }
}

/** Asks for one check, or for all that took no share. Where questions must wait it is the owner of its own. */
class Share implements Resolver {
  readonly #lookups: Lookups;
  /** How many more questions may be asked. */
  #left: number;

  constructor(lookups: Lookups, maxLookups: number) {
    this.#lookups = lookups;
    this.#left = maxLookups;
  }

  resolve<T extends RecordType>(name: string, type: T, { signal }: ResolveOptions = {}): Promise<DnsAnswer<T>> {
    const lookups = this.#lookups;
    const normalized = normalizeName(name);
    if (normalized === null) return Promise.resolve(noSuchName);
    const asked = lookups.find(normalized, type);
    if (asked !== undefined) return lookups.wait(asked.answer, signal);
    if (this.#left <= 0) {
      lookups.exhausted = true;
      return Promise.resolve({ status: 'temporary-failure', reason: 'refused', cnames: [] });
    }
    this.#left--;
    return lookups.wait(lookups.ask(normalized, type, this), signal);
  }

  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    const lookups = this.#lookups;
    if (lookups.signal?.aborted === true) return undefined;
    const normalized = normalizeName(name);
    if (normalized === null) return noSuchName;
    const asked = lookups.find(normalized, type);
    if (asked !== undefined) return asked.answer instanceof Promise ? undefined : asked.answer;
    if (this.#left <= 0) return undefined;
    const answer = lookups.look(normalized, type);
    if (answer !== undefined) this.#left--;
    return answer;
  }
}

const noSuchName = { status: 'nxdomain', ttl: 0, authentic: false, cnames: [] } as const;

interface Lookup<T extends RecordType> {
  readonly type: T;
  readonly answer: DnsAnswer<T> | Promise<DnsAnswer<T>>;
  /** What was asked about the same name before. */
  readonly earlier: Lookup<RecordType> | undefined;
}

function isOfType<T extends RecordType>(lookup: Lookup<RecordType>, type: T): lookup is Lookup<T> {
  return lookup.type === type;
}

/** What all shares have in common. Names are normalized here. */
class Lookups {
  readonly signal: AbortSignal | undefined;
  readonly #resolver: Resolver;
  /** By name, the latest first. A key of name and type together would have to be put together and hashed for each question. */
  readonly #asked = new Map<string, Lookup<RecordType>>();
  count = 0;
  exhausted = false;

  constructor(resolver: Resolver, signal: AbortSignal | undefined) {
    this.#resolver = resolver;
    this.signal = signal;
  }

  find<T extends RecordType>(name: string, type: T): Lookup<T> | undefined {
    for (let lookup = this.#asked.get(name); lookup !== undefined; lookup = lookup.earlier) {
      if (isOfType(lookup, type)) return lookup;
    }
    return undefined;
  }

  /** Asks what was not asked yet. */
  ask<T extends RecordType>(name: string, type: T, owner: Share): Promise<DnsAnswer<T>> {
    const options = this.signal === undefined ? { owner } : { owner, signal: this.signal };
    const answer = waitForAnswer(this.#resolver.resolve(name, type, options), this.signal);
    this.#keep(name, type, answer);
    return answer;
  }

  /** What the resolver knows of what was not asked yet. */
  look<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    const answer = this.#resolver.known?.(name, type);
    if (answer !== undefined) this.#keep(name, type, answer);
    return answer;
  }

  #keep<T extends RecordType>(name: string, type: T, answer: Lookup<T>['answer']): void {
    this.#asked.set(name, { type, answer, earlier: this.#asked.get(name) });
    this.count++;
  }

  /** A promise of an answer is waited for under the message's own signal already. */
  wait<T extends RecordType>(
    answer: DnsAnswer<T> | Promise<DnsAnswer<T>>,
    signal: AbortSignal | undefined,
  ): Promise<DnsAnswer<T>> {
    const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
    return signal === this.signal ? promise : waitForAnswer(promise, signal);
  }
}
