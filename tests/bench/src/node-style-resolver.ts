import type { DnsAnswer, DnsFailure, RecordData, RecordType, Resolver } from '@zegel/dns';
import { normalizeName } from '@zegel/dns';

/**
 * A look-up in the way of `resolve` of `node:dns/promises`: answers records (a TXT record as the list of its strings),
 * rejects with `ENOTFOUND`, `ENODATA`, `ETIMEOUT` and the like as the error's `code`.
 */
export type NodeStyleResolve = (name: string, type: string) => Promise<unknown>;

/** Seconds for which an answer is kept: node:dns tells no TTL, and this is what records commonly have. */
const keptSeconds = 300;
/** Answers kept of one type; the oldest goes first. */
const maxKept = 10_000;

interface Kept {
  readonly answer: DnsAnswer;
  readonly until: number;
}

/**
 * A resolver over a function in the way of node:dns, with a cache: what `CachingResolver` of `@zegel/dns/client` is to a
 * service that asks name servers. Failures are not kept.
 */
export class NodeStyleResolver implements Resolver {
  readonly #resolve: NodeStyleResolve;
  /** By type, then by name. */
  readonly #kept = new Map<RecordType, Map<string, Kept>>();

  constructor(resolve: NodeStyleResolve) {
    this.#resolve = resolve;
  }

  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    const kept = this.#kept.get(type)?.get(name);
    return kept !== undefined && kept.until > performance.now() ? (kept.answer as DnsAnswer<T>) : undefined;
  }

  async resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    const asked = normalizeName(name);
    if (asked === null) return { status: 'nxdomain', ttl: 0, authentic: false, cnames: [] };
    const known = this.known(asked, type);
    if (known !== undefined) return known;
    const answer = await this.#ask(asked, type);
    if (answer.status !== 'temporary-failure') {
      this.#keep(asked, type, { answer, until: performance.now() + keptSeconds * 1000 });
    }
    return answer;
  }

  #keep(name: string, type: RecordType, kept: Kept): void {
    const ofType = this.#kept.get(type) ?? new Map<string, Kept>();
    if (ofType.size >= maxKept) for (const oldest of ofType.keys()) if (ofType.delete(oldest)) break;
    this.#kept.set(type, ofType.set(name, kept));
  }

  async #ask<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    try {
      const records = read(type, await this.#resolve(name, type));
      const common = { ttl: keptSeconds, authentic: false, cnames: [] };
      return records.length > 0 ? { status: 'found', records, ...common } : { status: 'nodata', ...common };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === 'ENOTFOUND') return { status: 'nxdomain', ttl: keptSeconds, authentic: false, cnames: [] };
      if (code === 'ENODATA') return { status: 'nodata', ttl: keptSeconds, authentic: false, cnames: [] };
      return { status: 'temporary-failure', reason: failures[code] ?? 'network', cnames: [] };
    }
  }
}

const failures: Readonly<Record<string, DnsFailure>> = {
  ETIMEOUT: 'timeout',
  ESERVFAIL: 'servfail',
  EREFUSED: 'refused',
  EBADRESP: 'malformed',
};

/** Records as node:dns gives them, as the contract has them. */
function read<T extends RecordType>(type: T, given: unknown): RecordData[T][] {
  if (!Array.isArray(given)) return [];
  return given.map((record: unknown) => {
    if (type === 'TXT') return Buffer.from(Array.isArray(record) ? record.join('') : String(record), 'utf8');
    if (type === 'MX' && typeof record === 'object' && record !== null && 'exchange' in record) {
      const preference = 'priority' in record ? Number(record.priority) : 0;
      return { preference, exchange: withoutFinalDot(String(record.exchange)) };
    }
    return typeof record === 'string' ? withoutFinalDot(record) : record;
  }) as RecordData[T][];
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1).toLowerCase() : name.toLowerCase();
}
