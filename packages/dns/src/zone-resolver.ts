/**
 * A resolver that answers from an in-memory zone: tests, the demo domain, `--dns zone.json`.
 */

import { MAX_CNAMES, ZONE_TTL } from './limits.ts';
import { normalizeName, parentName } from './name.ts';
import type { DnsAnswer, RecordType, ResolveOptions, Resolver } from './resolver.ts';
import { parseZone } from './zone.ts';
import type { Zone, ZoneDeclaration, ZoneNode } from './zone.ts';

export interface ZoneResolverOptions {
  /** The names at and below which the zone speaks, for OverlayResolver. Default: the topmost names of the zone. */
  readonly apexes?: readonly string[];
}

/**
 * Answers every question from a zone, at once, without a network. A name that is absent is NXDOMAIN, unless
 * a name of the zone lies below it (an empty non-terminal, RFC 8020): that one is NODATA, as is a name without the asked type.
 * Aliases are followed within the zone; a loop, or a chain over 8, is a `servfail` as a real resolver answers it.
 *
 * Every answer has a TTL of 300 s and is not authentic. A zone as declared is read with its bad records left out, and the
 * constructor throws a ZoneError when it is malformed otherwise; parseZone first for a file that a person wrote.
 */
export class ZoneResolver implements Resolver {
  /** The names at and below which the zone speaks, normalized. */
  readonly apexes: readonly string[];
  readonly #zone: Zone;
  readonly #nonTerminals: ReadonlySet<string>;

  constructor(zone: Zone | ZoneDeclaration, options: ZoneResolverOptions = {}) {
    this.#zone = zone instanceof Map ? zone : parseZone(zone, { badRecords: 'omit' });
    this.#nonTerminals = findNonTerminals(this.#zone);
    this.apexes = options.apexes?.map(normalizeApex) ?? findTopmostNames(this.#zone);
  }

  async resolve<T extends RecordType>(name: string, type: T, options: ResolveOptions = {}): Promise<DnsAnswer<T>> {
    if (options.signal?.aborted === true) return { status: 'temporary-failure', reason: 'timeout', cnames: [] };
    return this.known(name, type);
  }

  /** Every answer is known. */
  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> {
    let current = normalizeName(name);
    if (current === null) return { status: 'nxdomain', ttl: ZONE_TTL, authentic: false, cnames: [] };
    const cnames: string[] = [];
    while (true) {
      const node = this.#zone.get(current);
      const alias: string | undefined = type === 'CNAME' ? undefined : node?.records.CNAME[0];
      if (node === undefined || alias === undefined || node.records[type].length > 0) {
        return this.#answer(current, node, type, cnames);
      }
      if (cnames.length === MAX_CNAMES) return { status: 'temporary-failure', reason: 'servfail', cnames };
      cnames.push(alias);
      current = alias;
    }
  }

  #answer<T extends RecordType>(
    name: string,
    node: ZoneNode | undefined,
    type: T,
    cnames: readonly string[],
  ): DnsAnswer<T> {
    const records = node?.records[type];
    if (records !== undefined && records.length > 0) {
      return { status: 'found', records, ttl: ZONE_TTL, authentic: false, cnames };
    }
    if (node?.outcome === 'servfail') return { status: 'temporary-failure', reason: 'servfail', cnames };
    if (node?.outcome === 'timeout' || node?.silent.has(type) === true || node?.silent.has('*') === true) {
      return { status: 'temporary-failure', reason: 'timeout', cnames };
    }
    const exists = node === undefined ? this.#nonTerminals.has(name) : node.outcome !== 'nxdomain';
    return { status: exists ? 'nodata' : 'nxdomain', ttl: ZONE_TTL, authentic: false, cnames };
  }
}

/**
 * Every name that exists only because a name below it does. The climb stops where an earlier one passed: linear in the
 * labels.
 */
function findNonTerminals(zone: Zone): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [name, node] of zone) {
    if (node.outcome === 'nxdomain') continue;
    for (let above = parentName(name); above !== null && !found.has(above); above = parentName(above)) found.add(above);
  }
  return found;
}

function findTopmostNames(zone: Zone): readonly string[] {
  const topmost: string[] = [];
  for (const name of zone.keys()) {
    let above = parentName(name);
    while (above !== null && !zone.has(above)) above = parentName(above);
    if (above === null) topmost.push(name);
  }
  return topmost;
}

function normalizeApex(apex: string): string {
  const name = normalizeName(apex);
  if (name === null) throw new RangeError(`not a domain name: ${JSON.stringify(apex)}`);
  return name;
}
