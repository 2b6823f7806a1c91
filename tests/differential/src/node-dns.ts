import type { RecordData, RecordType, Resolver } from '@zegel/dns';

/** The look-up function mailauth takes: `resolve` of `node:dns/promises`. */
export type NodeResolve = (name: string, type: string) => Promise<string[] | string[][]>;

/** An error as node:dns raises it. */
class DnsError extends Error {
  readonly code: string;
  constructor(code: string, name: string) {
    super(`${code} ${name}`);
    this.code = code;
  }
}

/** Our resolver in the dress of node:dns. */
export function nodeDns(resolver: Resolver): NodeResolve {
  return async (name, type) => {
    if (!isAskedFor(type)) throw new DnsError('ENODATA', name);
    const answer = await resolver.resolve(name, type);
    // mailauth declares texts alone, and takes what node:dns gives.
    if (answer.status === 'found') return answer.records.map((record) => dressed(type, record)) as string[];
    if (answer.status === 'temporary-failure') {
      throw new DnsError(answer.reason === 'timeout' ? 'ETIMEOUT' : 'ESERVFAIL', name);
    }
    throw new DnsError(answer.status === 'nxdomain' ? 'ENOTFOUND' : 'ENODATA', name);
  };
}

const askedFor = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'CNAME', 'NS'] as const satisfies readonly RecordType[];

function isAskedFor(type: string): type is (typeof askedFor)[number] {
  return askedFor.some((known) => known === type);
}

function dressed(type: RecordType, record: RecordData[RecordType]): unknown {
  // node:dns reads character-strings as UTF-8.
  if (record instanceof Uint8Array) return [Buffer.from(record).toString('utf8')];
  if (type === 'MX' && typeof record === 'object' && 'exchange' in record) {
    return { priority: record.preference, exchange: record.exchange };
  }
  return record;
}
