import { randomInt } from 'node:crypto';
import {
  CACHE_ENTRIES,
  FAILURE_TTL,
  MAX_CACHED_OCTETS,
  MAX_CACHE_OCTETS,
  MAX_NEGATIVE_TTL,
  MAX_POSITIVE_TTL,
  MAX_QUERIES_IN_FLIGHT,
  MAX_QUERIES_WAITING,
  MAX_SERVERS,
  MIN_POSITIVE_TTL,
  QUERY_DEADLINE_MS,
  RECORD_OCTETS,
} from '../limits.ts';
import { normalizeName } from '../name.ts';
import type { DnsAnswer, DnsFailure, RecordType, ResolveOptions, Resolver } from '../resolver.ts';
import { waitForAnswer } from '../waiting.ts';
import { AnswerCache } from './answer-cache.ts';
import { DnsConfigurationError } from './errors.ts';
import { isLoopback, parseNameServer, readResolvConf } from './name-server.ts';
import type { NameServer } from './name-server.ts';
import { QuerySlots } from './query-slots.ts';
import type { Turn } from './query-slots.ts';
import type { Random } from './query.ts';
import { readResponse } from './response.ts';
import { SilentServers } from './silent-servers.ts';
import { askServers } from './upstream.ts';
import type { Upstream } from './upstream.ts';

export interface CachingResolverOptions {
  /**
   * Recursive name servers in the order they are asked, three at most; text as parseNameServer reads it. One that keeps
   * silent is asked last for 30 s. Default: those of resolv.conf.
   */
  readonly servers?: readonly (string | NameServer)[];
  /** Read once, when `servers` is absent. Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** Believe the AD bit of every server: right only when the way to it is safe. Default: of servers on loopback alone. */
  readonly trustAuthentic?: boolean;
  /** Random letter case in every question, which the server must echo ("0x20"). Default off: some servers do not. */
  readonly mixedCase?: boolean;
  /** Milliseconds for one question, everything included but the wait for a socket. Default 5000. */
  readonly deadlineMs?: number;
  /** Answers kept, as far as 80 MB hold them. Default 10,000; 0 keeps none. */
  readonly cacheEntries?: number;
  /** Sockets open at once. One owner of questions has a quarter of those left at most. Default 256. */
  readonly maxQueriesInFlight?: number;
  /** The clock of the cache, in milliseconds; it must not run backwards. Default `performance.now()`. */
  readonly now?: () => number;
  /** Default: cryptographically strong. */
  readonly random?: Random;
}

/** What the resolver has done since it was made, for metrics. */
export interface ResolverStatistics {
  /** Questions that callers asked. */
  readonly lookups: number;
  /** Of those, answered from the cache. */
  readonly cacheHits: number;
  /** Of those, joined to the same question under way. */
  readonly coalesced: number;
  /** Queries sent to servers, by transport. */
  readonly udpQueries: number;
  readonly tcpQueries: number;
  /** Look-ups on the network that ended without a usable answer, by reason. */
  readonly failures: Readonly<Record<DnsFailure, number>>;
  /** Look-ups on the network at this moment. */
  readonly inFlight: number;
  /** Answers in the cache at this moment. */
  readonly cacheEntries: number;
}

/** One question under way. Who asked it waits for the answer; when none of them waits any more, it is given up. */
interface Lookup<T extends RecordType> {
  readonly type: T;
  readonly answer: Promise<DnsAnswer<T>>;
  readonly abort: AbortController;
  readonly turn: Turn;
  waiting: number;
}

interface Outcome<T extends RecordType> {
  readonly answer: DnsAnswer<T>;
  /** Of the messages that brought it; none for a failure. */
  readonly octets: number;
  /** Seconds to keep it. */
  readonly lifetime: number;
}

/**
 * The real DNS: a stub resolver over UDP and TCP with a cache. Equal questions under way are asked once.
 *
 * Answers with records are kept for their TTL, between 30 s and one day; negative ones as their SOA says
 * (RFC 2308 §5), 15 minutes at most, and not at all without one; failures for 5 s (RFC 9520). `authentic` is the AD bit of
 * servers on loopback, or of all with `trustAuthentic`.
 *
 * The constructor throws a DnsConfigurationError. `resolve` never rejects; after `close` it answers `network`.
 */
export class CachingResolver implements Resolver {
  readonly #upstream: Upstream;
  readonly #trustAuthentic: boolean;
  readonly #deadlineMs: number;
  readonly #cache: AnswerCache;
  readonly #slots: QuerySlots;
  readonly #lookups = new Map<string, Lookup<RecordType>>();
  readonly #failures: Record<DnsFailure, number> = { timeout: 0, servfail: 0, refused: 0, network: 0, malformed: 0 };
  #asked = 0;
  #cacheHits = 0;
  #coalesced = 0;
  #udpQueries = 0;
  #tcpQueries = 0;
  #closed = false;

  constructor(options: CachingResolverOptions = {}) {
    this.#upstream = {
      servers: chooseServers(options),
      silent: new SilentServers(),
      random: options.random ?? ((bound) => randomInt(bound)),
      mixedCase: options.mixedCase ?? false,
      onQuery: (transport) => {
        if (transport === 'udp') this.#udpQueries += 1;
        else this.#tcpQueries += 1;
      },
    };
    this.#trustAuthentic = options.trustAuthentic ?? false;
    this.#deadlineMs = options.deadlineMs ?? QUERY_DEADLINE_MS;
    this.#cache = new AnswerCache(
      options.cacheEntries ?? CACHE_ENTRIES,
      MAX_CACHE_OCTETS,
      options.now ?? (() => performance.now()),
    );
    this.#slots = new QuerySlots(options.maxQueriesInFlight ?? MAX_QUERIES_IN_FLIGHT, MAX_QUERIES_WAITING);
  }

  /** The servers that are asked, in this order. */
  get servers(): readonly NameServer[] {
    return this.#upstream.servers;
  }

  get statistics(): ResolverStatistics {
    return {
      lookups: this.#asked,
      cacheHits: this.#cacheHits,
      coalesced: this.#coalesced,
      udpQueries: this.#udpQueries,
      tcpQueries: this.#tcpQueries,
      failures: { ...this.#failures },
      inFlight: this.#lookups.size,
      cacheEntries: this.#cache.size,
    };
  }

  async resolve<T extends RecordType>(name: string, type: T, options: ResolveOptions = {}): Promise<DnsAnswer<T>> {
    this.#asked += 1;
    if (this.#closed) return failure('network', []);
    if (options.signal?.aborted === true) return failure('timeout', []);
    const normalized = normalizeName(name);
    if (normalized === null) return { status: 'nxdomain', ttl: 0, authentic: false, cnames: [] };
    const cached = this.#cache.get(normalized, type);
    if (cached !== null) {
      this.#cacheHits += 1;
      return cached;
    }
    const key = `${type} ${normalized}`;
    const underWay = this.#lookups.get(key);
    const joined = underWay !== undefined && isOfType(underWay, type);
    const owner = options.owner ?? {};
    if (joined) {
      this.#coalesced += 1;
      this.#slots.join(underWay.turn, owner);
    }
    const lookup = joined ? underWay : this.#start(key, normalized, type, owner);
    lookup.waiting += 1;
    const answer = await waitForAnswer(lookup.answer, options.signal);
    lookup.waiting -= 1;
    if (lookup.waiting === 0) this.#leave(key, lookup);
    return answer;
  }

  /** What is in the cache; counted as asked then. */
  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    if (this.#closed) return undefined;
    const normalized = normalizeName(name);
    const cached = normalized === null ? null : this.#cache.get(normalized, type);
    if (cached === null) return undefined;
    this.#asked += 1;
    this.#cacheHits += 1;
    return cached;
  }

  /** Forgets every answer. Questions under way go on. */
  clearCache(): void {
    this.#cache.clear();
  }

  /**
   * Ends every question under way (they answer `network`), closes the sockets and forgets the cache. Resolves when that
   * is done.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#lookups.values()];
    for (const lookup of open) lookup.abort.abort();
    await Promise.all(open.map((lookup) => lookup.answer));
    this.#cache.clear();
  }

  #start<T extends RecordType>(key: string, name: string, type: T, owner: object): Lookup<T> {
    const abort = new AbortController();
    const turn = this.#slots.acquire(owner, abort.signal);
    const answer = this.#run(key, name, type, turn, abort.signal);
    const lookup: Lookup<T> = { type, answer, abort, turn, waiting: 0 };
    this.#lookups.set(key, lookup);
    return lookup;
  }

  /** The last one who waited is gone: an unfinished question is of no use to anybody. */
  #leave(key: string, lookup: Lookup<RecordType>): void {
    if (this.#lookups.get(key) !== lookup) return;
    this.#lookups.delete(key);
    lookup.abort.abort();
  }

  async #run<T extends RecordType>(
    key: string,
    name: string,
    type: T,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<DnsAnswer<T>> {
    const outcome = (await turn.granted) ? await this.#ask(name, type, turn, signal) : failed<T>('network', []);
    const { answer, octets, lifetime } = outcome;
    if (this.#closed) {
      this.#lookups.delete(key);
      return failure('network', []);
    }
    // When it was given up, the outcome tells of the callers' impatience, not of the DNS.
    if (signal.aborted) return answer;
    if (answer.status === 'temporary-failure') this.#failures[answer.reason] += 1;
    this.#lookups.delete(key);
    const records = answer.status === 'found' ? answer.records.length : 0;
    this.#cache.set(name, type, answer, octets + (1 + records) * RECORD_OCTETS, lifetime);
    return answer;
  }

  /** The time runs from here: waiting for a slot is no fault of the name. */
  async #ask<T extends RecordType>(name: string, type: T, turn: Turn, signal: AbortSignal): Promise<Outcome<T>> {
    const deadline = performance.now() + this.#deadlineMs;
    const overdue = new AbortController();
    const timer = setTimeout(() => overdue.abort(), this.#deadlineMs);
    try {
      return await this.#follow(name, type, deadline, AbortSignal.any([signal, overdue.signal]));
    } finally {
      clearTimeout(timer);
      this.#slots.release(turn);
    }
  }

  /**
   * Asks for the name, and for what its alias stands for as long as a response leaves that open. Bounded: each turn
   * adds to the chain.
   */
  async #follow<T extends RecordType>(
    name: string,
    type: T,
    deadline: number,
    signal: AbortSignal,
  ): Promise<Outcome<T>> {
    const chain = [name];
    let authentic = true;
    let chainTtl = Number.POSITIVE_INFINITY;
    let octets = 0;
    while (true) {
      const reply = await askServers(chain.at(-1) ?? name, type, this.#upstream, deadline, signal);
      if (!reply.ok) return failed(reply.reason, chain.slice(1));
      authentic &&= reply.packet.flag_ad && (this.#trustAuthentic || isLoopback(reply.server));
      octets += reply.octets;
      const reading = readResponse(reply.packet, type, chain);
      const cnames = chain.slice(1);
      if (reading.kind === 'endless') return failed('servfail', cnames);
      const ttl = Math.min(chainTtl, reading.ttl ?? 0);
      if (reading.kind === 'alias') {
        chainTtl = ttl;
        continue;
      }
      const keeping = { octets, lifetime: octets > MAX_CACHED_OCTETS ? 0 : lifetimeOf(reading.kind, ttl) };
      if (reading.kind !== 'found') return { answer: { status: reading.kind, ttl, authentic, cnames }, ...keeping };
      return { answer: { status: 'found', records: reading.records, ttl, authentic, cnames }, ...keeping };
    }
  }
}

function chooseServers(options: CachingResolverOptions): readonly NameServer[] {
  if (options.servers === undefined) return readResolvConf(options.resolvConf ?? '/etc/resolv.conf');
  const servers = options.servers.map((server) => (typeof server === 'string' ? parseNameServer(server) : server));
  if (servers.length === 0 || servers.length > MAX_SERVERS) {
    throw new DnsConfigurationError(`1 to ${MAX_SERVERS} name servers are needed, not ${servers.length}`);
  }
  return servers;
}

function lifetimeOf(kind: 'found' | 'nodata' | 'nxdomain', ttl: number): number {
  if (kind !== 'found') return Math.min(ttl, MAX_NEGATIVE_TTL);
  return Math.min(Math.max(ttl, MIN_POSITIVE_TTL), MAX_POSITIVE_TTL);
}

/** A failure to hear from anyone on the network costs nothing to find out anew, so it is not kept. */
function failed<T extends RecordType>(reason: DnsFailure, cnames: readonly string[]): Outcome<T> {
  return { answer: failure(reason, cnames), octets: 0, lifetime: reason === 'network' ? 0 : FAILURE_TTL };
}

function failure<T extends RecordType>(reason: DnsFailure, cnames: readonly string[]): DnsAnswer<T> {
  return { status: 'temporary-failure', reason, cnames };
}

function isOfType<T extends RecordType>(lookup: Lookup<RecordType>, type: T): lookup is Lookup<T> {
  return lookup.type === type;
}
