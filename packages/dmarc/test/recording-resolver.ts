import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, ResolveOptions, Resolver, ZoneDeclaration, ZoneEntry } from '@zegel/dns';

/** Answers from a zone and keeps what it was asked. */
export class RecordingResolver implements Resolver {
  readonly asked: string[] = [];
  readonly #zone: ZoneResolver;

  constructor(zone: ZoneDeclaration) {
    this.#zone = new ZoneResolver(zone);
  }

  resolve<T extends RecordType>(name: string, type: T, options?: ResolveOptions): Promise<DnsAnswer<T>> {
    this.asked.push(name);
    return this.#zone.resolve(name, type, options);
  }
}

/** A zone of policy records by domain; a list stands for several records at one name. */
export function policies(records: Readonly<Record<string, string | string[]>>): ZoneDeclaration {
  const entries = Object.entries(records).map(([domain, record]): [string, ZoneEntry] => [
    `_dmarc.${domain}`,
    record === 'SERVFAIL' ? record : { TXT: typeof record === 'string' ? [record] : record },
  ]);
  return Object.fromEntries(entries);
}
