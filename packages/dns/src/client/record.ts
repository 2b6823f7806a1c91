/**
 * Resource records as dns-packet decodes them, brought to the form of the resolver contract.
 */

import type { Answer } from 'dns-packet';
import { canonicalIpv6, isIpv4 } from '../address.ts';
import { normalizeName } from '../name.ts';
import type { RecordData, RecordType } from '../resolver.ts';

/** Record data of a type, or null when the record is of another type or its data cannot be told in the contract's form. */
type Reader<T extends RecordType> = (record: Answer) => RecordData[T] | null;

/** TTLs are 31 bits; a larger one means zero (RFC 2181 §8). */
const MAX_TTL = 0x7fff_ffff;

export function readRecord<T extends RecordType>(record: Answer, type: T): RecordData[T] | null {
  return READERS[type](record);
}

/** The TTL in seconds. */
export function recordTtl(record: Answer): number {
  const ttl = record.type === 'OPT' ? 0 : (record.ttl ?? 0);
  return ttl > MAX_TTL ? 0 : ttl;
}

/** Whether the record is of class IN and belongs to the name, which must be normalized. */
export function belongsTo(record: Answer, name: string): boolean {
  return record.type !== 'OPT' && record.class === 'IN' && record.name.toLowerCase() === name;
}

const READERS: { readonly [T in RecordType]: Reader<T> } = {
  TXT(record) {
    return record.type === 'TXT' && Array.isArray(record.data) ? joinStrings(record.data) : null;
  },
  A(record) {
    return record.type === 'A' && isIpv4(record.data) ? record.data : null;
  },
  AAAA(record) {
    return record.type === 'AAAA' ? canonicalIpv6(record.data) : null;
  },
  MX(record) {
    if (record.type !== 'MX') return null;
    const exchange = readName(record.data.exchange);
    return exchange === null ? null : { preference: record.data.preference ?? 0, exchange };
  },
  PTR(record) {
    return record.type === 'PTR' ? readName(record.data) : null;
  },
  TLSA(record) {
    if (record.type !== 'TLSA') return null;
    const { usage, selector, matchingType, certificate } = record.data;
    return { usage, selector, matchingType, certificate: copy([certificate]) };
  },
  CNAME(record) {
    return record.type === 'CNAME' ? readName(record.data) : null;
  },
  SOA(record) {
    if (record.type !== 'SOA') return null;
    const { mname, rname, serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0 } = record.data;
    const primary = readName(mname);
    const mailbox = readName(rname);
    return primary === null || mailbox === null ? null : { primary, mailbox, serial, refresh, retry, expire, minimum };
  },
  NS(record) {
    return record.type === 'NS' ? readName(record.data) : null;
  },
};

/** The root is the empty name. A name with octets that no text stands for is left out rather than guessed at. */
function readName(name: string): string | null {
  if (name === '.') return '';
  return NON_ASCII.test(name) ? null : normalizeName(name);
}

const NON_ASCII = /[\u0080-\uffff]/;

function joinStrings(parts: readonly (string | Buffer)[]): Buffer {
  return copy(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

/** A copy outside any pool: what is kept in the cache must not hold the whole packet. */
function copy(parts: readonly Buffer[]): Buffer {
  const joined = Buffer.alloc(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) offset += part.copy(joined, offset);
  return joined;
}
