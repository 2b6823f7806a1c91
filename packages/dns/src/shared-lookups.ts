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

/** How many more questions may be asked. */
interface Allowance {
  left: number;
}

interface Lookup<T extends RecordType> {
  readonly type: T;
  readonly answer: DnsAnswer<T> | Promise<DnsAnswer<T>>;
}

/**
 * The look-ups of one message. Each question is asked once, however many checks ask it and whenever they do,
 * failures included, so that all checks of a message see the same DNS. Make one for each message.
 *
 * A question beyond the maximum is not asked and answers `refused`; `exhausted` then says so. Checks of which one must not
 * use up what another needs take a {@link SharedLookups.share} each.
 */
export class SharedLookups implements Resolver {
  readonly #resolver: Resolver;
  readonly #signal: AbortSignal | undefined;
  readonly #allowance: Allowance;
  readonly #lookups = new Map<string, Lookup<RecordType>>();
  #exhausted = false;

  constructor(resolver: Resolver, options: SharedLookupsOptions = {}) {
    this.#resolver = resolver;
    this.#signal = options.signal;
    this.#allowance = { left: options.maxLookups ?? MAX_LOOKUPS_PER_MESSAGE };
  }

  /** Distinct questions asked so far. */
  get lookups(): number {
    return this.#lookups.size;
  }

  /** Whether a question was turned down because the maximum was reached. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  resolve<T extends RecordType>(name: string, type: T, options: ResolveOptions = {}): Promise<DnsAnswer<T>> {
    return this.#ask(name, type, options, this.#allowance);
  }

  /** The same look-ups with a maximum of their own. What anybody has asked already counts against no other maximum. */
  share(maxLookups: number = MAX_LOOKUPS_PER_MESSAGE): Resolver {
    const allowance: Allowance = { left: maxLookups };
    return {
      resolve: (name, type, options = {}) => this.#ask(name, type, options, allowance),
      known: (name, type) => this.#look(name, type, allowance),
    };
  }

  /** What the resolver below knows counts as asked. */
  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    return this.#look(name, type, this.#allowance);
  }

  #ask<T extends RecordType>(
    name: string,
    type: T,
    options: ResolveOptions,
    allowance: Allowance,
  ): Promise<DnsAnswer<T>> {
    const { signal } = options;
    const normalized = normalizeName(name);
    if (normalized === null) return Promise.resolve(noSuchName);
    const key = `${type} ${normalized}`;
    const asked = this.#lookups.get(key);
    if (asked !== undefined && isOfType(asked, type)) return this.#wait(asked.answer, signal);
    if (allowance.left <= 0) {
      this.#exhausted = true;
      return Promise.resolve({ status: 'temporary-failure', reason: 'refused', cnames: [] });
    }
    allowance.left--;
    const deadline = this.#signal === undefined ? {} : { signal: this.#signal };
    const answer = waitForAnswer(this.#resolver.resolve(normalized, type, deadline), this.#signal);
    this.#lookups.set(key, { type, answer });
    return this.#wait(answer, signal);
  }

  #look<T extends RecordType>(name: string, type: T, allowance: Allowance): DnsAnswer<T> | undefined {
    if (this.#signal?.aborted === true) return undefined;
    const normalized = normalizeName(name);
    if (normalized === null) return noSuchName;
    const key = `${type} ${normalized}`;
    const asked = this.#lookups.get(key);
    if (asked !== undefined && isOfType(asked, type)) {
      return asked.answer instanceof Promise ? undefined : asked.answer;
    }
    if (allowance.left <= 0) return undefined;
    const answer = this.#resolver.known?.(normalized, type);
    if (answer === undefined) return undefined;
    allowance.left--;
    this.#lookups.set(key, { type, answer });
    return answer;
  }

  /** A promise of an answer is waited for under the message's own signal already. */
  #wait<T extends RecordType>(
    answer: DnsAnswer<T> | Promise<DnsAnswer<T>>,
    signal: AbortSignal | undefined,
  ): Promise<DnsAnswer<T>> {
    const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
    return signal === this.#signal ? promise : waitForAnswer(promise, signal);
  }
}

const noSuchName = { status: 'nxdomain', ttl: 0, authentic: false, cnames: [] } as const;

function isOfType<T extends RecordType>(lookup: Lookup<RecordType>, type: T): lookup is Lookup<T> {
  return lookup.type === type;
}
