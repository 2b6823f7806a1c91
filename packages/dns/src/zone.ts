/**
 * The zone of a test, a demo or `--dns zone.json`: what is written down, and what is read from it.
 */

import { canonicalIpv6, isIpv4 } from './address.ts';
import { ZoneError } from './errors.ts';
import { MAX_ZONE_RECORDS } from './limits.ts';
import { normalizeName } from './name.ts';
import type { RecordData, RecordType } from './resolver.ts';

/** Text is taken as UTF-8; bytes stay as they are; a list holds the character-strings of one record, to be joined. */
export type ZoneText = string | Uint8Array | readonly (string | Uint8Array)[];

/** How a record of each type is written in a zone. Names may be in any case, with U-labels, with a final dot. */
export interface ZoneRecordData {
  TXT: ZoneText;
  A: string;
  AAAA: string;
  /** Preference and exchange; the exchange `.` or `` is the null MX (RFC 7505). */
  MX: readonly [preference: number, exchange: string];
  PTR: string;
  /** Usage, selector, matching type, and the certificate association data in hexadecimal. */
  TLSA: readonly [usage: number, selector: number, matchingType: number, certificate: string];
  CNAME: string;
  SOA: readonly [
    primary: string,
    mailbox: string,
    serial: number,
    refresh: number,
    retry: number,
    expire: number,
    minimum: number,
  ];
  NS: string;
}

/** One entry of the list form: a record, or a type (`*`: every type not listed) whose look-up times out. */
export type ZoneListEntry =
  | { readonly [T in RecordType]: { readonly type: T; readonly data: ZoneRecordData[T] } }[RecordType]
  | { readonly type: 'SPF'; readonly data: ZoneText }
  | { readonly timeout: RecordType | 'SPF' | '*' };

/** What a zone says about one name. */
export type ZoneEntry =
  | 'NXDOMAIN'
  | 'SERVFAIL'
  | 'TIMEOUT'
  | { readonly [T in RecordType]?: readonly ZoneRecordData[T][] }
  | readonly ZoneListEntry[];

/** A zone as people write it. Records of the obsolete type SPF (RFC 7208 §3.1) are read over. */
export type ZoneDeclaration = Readonly<Record<string, ZoneEntry>>;

/** The records of one name, by type; an empty list where there are none. */
export type ZoneRecords = { readonly [T in RecordType]: readonly RecordData[T][] };

/** One name of a zone that was read. */
export interface ZoneNode {
  /** Set when no look-up of this name has any other outcome. */
  readonly outcome: 'nxdomain' | 'servfail' | 'timeout' | null;
  readonly records: ZoneRecords;
  /** Types whose look-up times out; `*` means every type without records. */
  readonly silent: ReadonlySet<string>;
}

/** A zone that was read and found good, by normalized name. */
export type Zone = ReadonlyMap<string, ZoneNode>;

export interface ParseZoneOptions {
  /**
   * What becomes of a record whose data is not what its type holds, such as an A record that is no address. `throw`, the
   * default, suits a file that a person wrote; `omit` suits collected zones, of which the rest is good.
   */
  readonly badRecords?: 'throw' | 'omit';
}

type MutableRecords = { readonly [T in RecordType]: RecordData[T][] };
interface RecordSink {
  readonly records: MutableRecords;
  readonly omitBad: boolean;
}

type Reader<T> = (value: unknown, path: string) => T;

/**
 * Reads a zone from outside: an object of names in the `dns` form (records by type) or the `zones` form (a list of
 * records), also mixed. A name the DNS cannot hold, such as one with a label over 63 octets, is left out: nobody can
 * ask for it.
 *
 * Throws a ZoneError that names the place when the zone is malformed.
 */
export function parseZone(value: unknown, options: ParseZoneOptions = {}): Zone {
  const omitBad = options.badRecords === 'omit';
  if (!isObject(value)) throw new ZoneError('dns.zone-not-an-object', 'zone', 'must be an object of names');
  const zone = new Map<string, ZoneNode>();
  let recordsLeft = MAX_ZONE_RECORDS;
  for (const [name, entry] of Object.entries(value)) {
    const path = `zone[${JSON.stringify(name)}]`;
    const node = readEntry(entry, path, omitBad);
    recordsLeft -= 1 + countRecords(node.records);
    if (recordsLeft < 0) throw new ZoneError('dns.zone-too-large', path, `is beyond ${MAX_ZONE_RECORDS} records`);
    const normalized = normalizeName(name);
    if (normalized === null) continue;
    if (zone.has(normalized))
      throw new ZoneError('dns.zone-duplicate-name', path, 'is the same name as an earlier one');
    zone.set(normalized, node);
  }
  return zone;
}

function readEntry(entry: unknown, path: string, omitBad: boolean): ZoneNode {
  if (typeof entry === 'string') {
    if (entry !== 'NXDOMAIN' && entry !== 'SERVFAIL' && entry !== 'TIMEOUT') {
      throw new ZoneError('dns.zone-bad-entry', path, 'must be records, or one of NXDOMAIN, SERVFAIL, TIMEOUT');
    }
    const outcome = entry === 'NXDOMAIN' ? 'nxdomain' : entry === 'SERVFAIL' ? 'servfail' : 'timeout';
    return { outcome, records: emptyRecords(), silent: new Set() };
  }
  const sink: RecordSink = { records: emptyRecords(), omitBad };
  const { records } = sink;
  const silent = new Set<string>();
  if (Array.isArray(entry)) {
    for (const [index, item] of entry.entries()) readListEntry(item, `${path}[${index}]`, sink, silent);
  } else if (isObject(entry)) {
    for (const [type, list] of Object.entries(entry)) readTypeEntry(type, list, `${path}.${type}`, sink);
  } else {
    throw new ZoneError('dns.zone-bad-entry', path, 'must be an object, a list or a word');
  }
  if (records.CNAME.length > 1) {
    throw new ZoneError('dns.zone-bad-record', `${path}.CNAME`, 'a name has one alias at most (RFC 2181 §10.1)');
  }
  return { outcome: null, records, silent };
}

function readListEntry(item: unknown, path: string, sink: RecordSink, silent: Set<string>): void {
  if (!isObject(item)) throw new ZoneError('dns.zone-bad-entry', path, 'must be {type, data} or {timeout}');
  if ('timeout' in item) {
    if (typeof item.timeout !== 'string' || (item.timeout !== '*' && !isKnownType(item.timeout))) {
      throw new ZoneError('dns.zone-unknown-type', `${path}.timeout`, 'must be a record type or *');
    }
    silent.add(item.timeout);
    return;
  }
  const type = item.type;
  if (typeof type !== 'string' || !isKnownType(type)) {
    throw new ZoneError('dns.zone-unknown-type', `${path}.type`, 'is not a record type of a zone');
  }
  if (isRecordType(type)) addRecord(sink, type, item.data, `${path}.data`);
  else READERS.TXT(item.data, `${path}.data`);
}

function readTypeEntry(type: string, list: unknown, path: string, sink: RecordSink): void {
  if (!isKnownType(type)) throw new ZoneError('dns.zone-unknown-type', path, 'is not a record type of a zone');
  if (!Array.isArray(list)) throw new ZoneError('dns.zone-bad-record', path, 'must be a list of records');
  if (!isRecordType(type)) return;
  for (const [index, value] of list.entries()) addRecord(sink, type, value, `${path}[${index}]`);
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties the list to its reader
function addRecord<T extends RecordType>(sink: RecordSink, type: T, value: unknown, path: string): void {
  const list: RecordData[T][] = sink.records[type];
  try {
    list.push(READERS[type](value, path));
  } catch (error) {
    if (!(sink.omitBad && error instanceof ZoneError)) throw error;
  }
}

const READERS: { readonly [T in RecordType]: Reader<RecordData[T]> } = {
  TXT: readText,
  A(value, path) {
    if (typeof value === 'string' && isIpv4(value)) return value;
    throw new ZoneError('dns.zone-bad-record', path, 'must be an IPv4 address');
  },
  AAAA(value, path) {
    const address = typeof value === 'string' ? canonicalIpv6(value) : null;
    if (address === null) throw new ZoneError('dns.zone-bad-record', path, 'must be an IPv6 address');
    return address;
  },
  MX(value, path) {
    if (!Array.isArray(value) || value.length !== 2) {
      throw new ZoneError('dns.zone-bad-record', path, 'must be [preference, exchange]');
    }
    return { preference: readNumber(value[0], 0xffff, `${path}[0]`), exchange: readName(value[1], `${path}[1]`) };
  },
  PTR: readName,
  TLSA(value, path) {
    if (!Array.isArray(value) || value.length !== 4) {
      throw new ZoneError('dns.zone-bad-record', path, 'must be [usage, selector, matching type, hexadecimal]');
    }
    return {
      usage: readNumber(value[0], 0xff, `${path}[0]`),
      selector: readNumber(value[1], 0xff, `${path}[1]`),
      matchingType: readNumber(value[2], 0xff, `${path}[2]`),
      certificate: readHex(value[3], `${path}[3]`),
    };
  },
  CNAME: readName,
  SOA(value, path) {
    if (!Array.isArray(value) || value.length !== 7) {
      throw new ZoneError(
        'dns.zone-bad-record',
        path,
        'must be [primary, mailbox, serial, refresh, retry, expire, minimum]',
      );
    }
    return {
      primary: readName(value[0], `${path}[0]`),
      mailbox: readName(value[1], `${path}[1]`),
      serial: readNumber(value[2], 0xffff_ffff, `${path}[2]`),
      refresh: readNumber(value[3], 0xffff_ffff, `${path}[3]`),
      retry: readNumber(value[4], 0xffff_ffff, `${path}[4]`),
      expire: readNumber(value[5], 0xffff_ffff, `${path}[5]`),
      minimum: readNumber(value[6], 0xffff_ffff, `${path}[6]`),
    };
  },
  NS: readName,
};

function readText(value: unknown, path: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value instanceof Uint8Array) return value;
  if (!Array.isArray(value))
    throw new ZoneError('dns.zone-bad-record', path, 'must be text or a list of character-strings');
  return Buffer.concat(
    value.map((part: unknown, index) => {
      if (typeof part === 'string') return Buffer.from(part, 'utf8');
      if (part instanceof Uint8Array) return part;
      throw new ZoneError('dns.zone-bad-record', `${path}[${index}]`, 'must be text');
    }),
  );
}

function readName(value: unknown, path: string): string {
  if (value === '' || value === '.') return '';
  const name = typeof value === 'string' ? normalizeName(value) : null;
  if (name === null) throw new ZoneError('dns.zone-bad-record', path, 'must be a domain name');
  return name;
}

function readNumber(value: unknown, max: number, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new ZoneError('dns.zone-bad-record', path, `must be a whole number from 0 to ${max}`);
}

function readHex(value: unknown, path: string): Uint8Array {
  if (typeof value === 'string' && value.length % 2 === 0 && /^[0-9A-Fa-f]*$/.test(value))
    return Buffer.from(value, 'hex');
  throw new ZoneError('dns.zone-bad-record', path, 'must be octets in hexadecimal');
}

function emptyRecords(): MutableRecords {
  return { TXT: [], A: [], AAAA: [], MX: [], PTR: [], TLSA: [], CNAME: [], SOA: [], NS: [] };
}

function countRecords(records: ZoneRecords): number {
  return Object.values(records).reduce((sum, list) => sum + list.length, 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecordType(type: string): type is RecordType {
  return Object.hasOwn(READERS, type);
}

function isKnownType(type: string): boolean {
  return type === 'SPF' || isRecordType(type);
}
