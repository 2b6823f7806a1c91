/**
 * What one response says about one name: records, an alias to follow elsewhere, or that there is nothing.
 */

import type { Answer, DecodedPacket } from 'dns-packet';
import { MAX_CNAMES } from '../limits.ts';
import type { RecordData, RecordType } from '../resolver.ts';
import { rcode } from './query.ts';
import { belongsTo, readRecord, recordTtl } from './record.ts';

export type Reading<T extends RecordType> =
  | { readonly kind: 'found'; readonly records: readonly RecordData[T][]; readonly ttl: number }
  | {
      readonly kind: 'nodata' | 'nxdomain';
      /** Null without an SOA record: such an answer must not be kept (RFC 2308 §5). */
      readonly ttl: number | null;
    }
  /** The aliases end at a name this response says nothing about: that one is to be asked. */
  | { readonly kind: 'alias'; readonly ttl: number }
  /** A loop, or too long a chain. */
  | { readonly kind: 'endless' };

/**
 * Reads a NOERROR or NXDOMAIN response. `chain` starts with the name asked; the aliases that are followed are appended to it.
 */
export function readResponse<T extends RecordType>(packet: DecodedPacket, type: T, chain: string[]): Reading<T> {
  const answers = packet.answers ?? [];
  let ttl = Number.POSITIVE_INFINITY;
  let followed = false;
  for (let name = chain.at(-1) ?? ''; ;) {
    const owned = answers.filter((record) => belongsTo(record, name));
    const own = owned.filter((record) => record.type === type);
    if (own.length > 0) return readRecords(own, type, ttl);
    const alias = owned.find((record) => record.type === 'CNAME');
    if (alias === undefined) break;
    const target = readRecord(alias, 'CNAME');
    if (target === null || chain.includes(target) || chain.length > MAX_CNAMES) return { kind: 'endless' };
    ttl = Math.min(ttl, recordTtl(alias));
    chain.push(target);
    name = target;
    followed = true;
  }
  const negativeTtl = readNegativeTtl(packet.authorities ?? []);
  if (rcode(packet) === 3) return { kind: 'nxdomain', ttl: lower(negativeTtl, ttl) };
  if (followed && negativeTtl === null) return { kind: 'alias', ttl };
  return { kind: 'nodata', ttl: lower(negativeTtl, ttl) };
}

/** Whether a response without an answer only points to other servers: the one asked does not recurse (RFC 2308 §2.2). */
export function isReferral(packet: DecodedPacket): boolean {
  const authorities = packet.authorities ?? [];
  return (
    rcode(packet) === 0 &&
    !packet.flag_aa &&
    (packet.answers ?? []).length === 0 &&
    authorities.some((record) => record.type === 'NS') &&
    !authorities.some((record) => record.type === 'SOA')
  );
}

function readRecords<T extends RecordType>(own: readonly Answer[], type: T, chainTtl: number): Reading<T> {
  const records: RecordData[T][] = [];
  let ttl = chainTtl;
  for (const record of own) {
    ttl = Math.min(ttl, recordTtl(record));
    const data = readRecord(record, type);
    if (data !== null) records.push(data);
  }
  return records.length > 0 ? { kind: 'found', records, ttl } : { kind: 'nodata', ttl };
}

function readNegativeTtl(authorities: readonly Answer[]): number | null {
  for (const record of authorities) {
    // The SOA's data may hold names that we cannot tell; its numbers are good all the same.
    if (record.type === 'SOA') return Math.min(recordTtl(record), record.data.minimum ?? 0);
  }
  return null;
}

function lower(negativeTtl: number | null, chainTtl: number): number | null {
  return negativeTtl === null ? null : Math.min(negativeTtl, chainTtl);
}
