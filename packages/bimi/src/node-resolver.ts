/**
 * Our resolver in the shape of `dns.promises.resolve()` of Node, which mailauth asks.
 */
import type { DnsAnswer, RecordType, Resolver } from '@zegel/dns';

export type NodeDnsErrorCode =
  | 'ENOTFOUND'
  | 'ENODATA'
  | 'ETIMEOUT'
  | 'ESERVFAIL'
  | 'EREFUSED'
  | 'ECONNREFUSED'
  | 'EBADRESP';

/** A failed look-up as Node's own resolver throws it. */
export class NodeDnsError extends Error {
  override readonly name = 'NodeDnsError';
  /** `ENOTFOUND` no such name; `ENODATA` no such records; the others say nothing about the name. */
  readonly code: NodeDnsErrorCode;
  readonly hostname: string;

  constructor(code: NodeDnsErrorCode, type: string, hostname: string) {
    super(`query${type} ${code} ${hostname}`);
    this.code = code;
    this.hostname = hostname;
  }
}

export interface NodeMxRecord {
  readonly priority: number;
  readonly exchange: string;
}

/**
 * Looks up a name: TXT records as lists of one string, one character per octet; A, AAAA, CNAME, NS and PTR records as
 * text; MX records as objects. Rejects with a {@link NodeDnsError}, or a RangeError for any other type.
 */
export interface NodeResolver {
  (hostname: string, type: 'MX'): Promise<NodeMxRecord[]>;
  (hostname: string, type?: string): Promise<string[][] | string[]>;
}

const failureCodes = {
  timeout: 'ETIMEOUT',
  servfail: 'ESERVFAIL',
  refused: 'EREFUSED',
  network: 'ECONNREFUSED',
  malformed: 'EBADRESP',
} as const;

/** Makes a look-up function of Node's shape that asks `resolver`. The signal ends every look-up made with it. */
export function toNodeResolver(resolver: Resolver, options: { readonly signal?: AbortSignal } = {}): NodeResolver {
  const records = async <T extends RecordType>(hostname: string, type: T) => {
    const answer: DnsAnswer<T> = await resolver.resolve(hostname, type, options);
    if (answer.status === 'found') return answer.records;
    throw new NodeDnsError(errorCode(answer), type, hostname);
  };
  function resolve(hostname: string, type: 'MX'): Promise<NodeMxRecord[]>;
  function resolve(hostname: string, type?: string): Promise<string[][] | string[]>;
  async function resolve(hostname: string, type = 'A'): Promise<NodeMxRecord[] | string[][] | string[]> {
    switch (type) {
      case 'TXT':
        return (await records(hostname, type)).map((text) => [Buffer.from(text).toString('latin1')]);
      case 'MX':
        return (await records(hostname, type)).map(({ preference, exchange }) => ({ priority: preference, exchange }));
      case 'A':
      case 'AAAA':
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return [...(await records(hostname, type))];
      default:
        throw new RangeError(`no look-up of ${JSON.stringify(type)} records`);
    }
  }
  return resolve;
}

function errorCode(answer: Exclude<DnsAnswer, { status: 'found' }>): NodeDnsErrorCode {
  if (answer.status === 'temporary-failure') return failureCodes[answer.reason];
  return answer.status === 'nodata' ? 'ENODATA' : 'ENOTFOUND';
}
