/**
 * The resolver contract: how every Zegel package asks the DNS, and what it may be told.
 *
 * Only DNS itself is described here. Whether an answer is a void look-up, a missing key or a reason to
 * come back later is for the protocol that asked.
 */

/** Record types a resolver answers. */
export type RecordType = 'TXT' | 'A' | 'AAAA' | 'MX' | 'PTR' | 'TLSA' | 'CNAME' | 'SOA' | 'NS';

/** What one record of a type holds. Names are lower case, as A-labels, without the final dot. */
export interface RecordData {
  /** The record's character-strings, joined without a separator (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
  TXT: Uint8Array;
  /** Dotted quad. */
  A: string;
  /** RFC 5952 text. */
  AAAA: string;
  MX: { readonly preference: number; readonly exchange: string };
  PTR: string;
  TLSA: {
    readonly usage: number;
    readonly selector: number;
    readonly matchingType: number;
    readonly certificate: Uint8Array;
  };
  CNAME: string;
  SOA: {
    readonly primary: string;
    readonly mailbox: string;
    readonly serial: number;
    readonly refresh: number;
    readonly retry: number;
    readonly expire: number;
    readonly minimum: number;
  };
  NS: string;
}

/** Why no usable answer came. None of these says anything about whether the name exists. */
export type DnsFailure = 'timeout' | 'servfail' | 'refused' | 'network' | 'malformed';

/**
 * An answer. `ttl` is in seconds, the smallest along the chain; `authentic` is the AD bit of a resolver the
 * client was told to trust, else false. `cnames` lists the aliases followed, the asked name excluded: a
 * `nxdomain` with a non-empty `cnames` is a dangling alias, so the asked name itself exists (RFC 9989 `np`).
 */
export type DnsAnswer<T extends RecordType = RecordType> =
  | {
      readonly status: 'found';
      readonly records: readonly RecordData[T][];
      readonly ttl: number;
      readonly authentic: boolean;
      readonly cnames: readonly string[];
    }
  | {
      readonly status: 'nodata' | 'nxdomain';
      readonly ttl: number;
      readonly authentic: boolean;
      readonly cnames: readonly string[];
    }
  | {
      readonly status: 'temporary-failure';
      readonly reason: DnsFailure;
      readonly cnames: readonly string[];
    };

export interface ResolveOptions {
  /** Ends the wait: the answer is then a `temporary-failure` with reason `timeout`. */
  readonly signal?: AbortSignal;
  /**
   * Whose question it is, by identity: of those who must wait, none holds up the others by the number of its questions. A
   * question without an owner stands for itself.
   */
  readonly owner?: object;
}

/**
 * Something that answers DNS questions. It never rejects for what the DNS does: a dead server is an answer with
 * status `temporary-failure`. `name` is in A-label or U-label form, with or without a final dot, in any case.
 * A name that cannot be asked (a label over 63 octets, a name over 253, an empty label) is `nxdomain`.
 *
 * Answers are shared by all who ask, and what was read from a record is kept by its octets' identity: nobody changes them.
 */
export interface Resolver {
  resolve<T extends RecordType>(name: string, type: T, options?: ResolveOptions): Promise<DnsAnswer<T>>;
  /**
   * The answer when it is there already: what `resolve` would give at once, without anybody being asked. For resolvers that
   * keep answers; most questions about mail have been asked before, and a promise costs more than a look into a cache.
   * Ask through {@link lookUp}, which falls back on `resolve`.
   */
  known?<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined;
}

/** Asks a question: the answer itself when the resolver has it, else a promise of it. A signal that has come counts first. */
export function lookUp<T extends RecordType>(
  resolver: Resolver,
  name: string,
  type: T,
  options: ResolveOptions = {},
): DnsAnswer<T> | Promise<DnsAnswer<T>> {
  const known = options.signal?.aborted === true ? undefined : resolver.known?.(name, type);
  return known ?? resolver.resolve(name, type, options);
}

/**
 * Goes on with what was asked for: at once when it is there, else when it comes. Checks are written with this instead of
 * `await` where nearly all answers are known: a promise for each costs more than the check itself.
 */
export function after<Asked, Next>(
  asked: Asked | Promise<Asked>,
  proceed: (answer: Asked) => Next | Promise<Next>,
): Next | Promise<Next> {
  return asked instanceof Promise ? asked.then(proceed) : proceed(asked);
}

/** Several things that were asked for, as one. */
export function all<Asked>(asked: readonly (Asked | Promise<Asked>)[]): readonly Asked[] | Promise<readonly Asked[]> {
  const known: Asked[] = [];
  for (const one of asked) {
    if (one instanceof Promise) return Promise.all(asked);
    known.push(one);
  }
  return known;
}
