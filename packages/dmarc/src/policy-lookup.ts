/**
 * The query for a policy record at one name (RFC 9989 §4.10 steps 1, 2, 5 and 6), asked once however many walks pass it.
 */
import { RecordCache, after, lookUp } from '@zegel/dns';
import type { DnsAnswer, DnsFailure, ResolveOptions, Resolver } from '@zegel/dns';
import { asBuffer } from '@zegel/message';
import { dmarcLimits } from './limits.ts';
import type { DmarcLimits } from './limits.ts';
import { parseDmarcRecord } from './parse.ts';
import type { ParsedDmarcRecord } from './parse.ts';

/**
 * What was found at `_dmarc.<domain>`: `record` exactly one DMARC record; `several-records` more than one, so all are
 * discarded; `other-records` TXT records that are not DMARC; `nodata` and `nxdomain` none at all.
 */
export type PolicyLookup =
  | {
      readonly status: 'record';
      readonly domain: string;
      readonly name: string;
      readonly record: string;
      readonly parsed: Exclude<ParsedDmarcRecord, { kind: 'other' }>;
      readonly ttl: number;
    }
  | {
      readonly status: 'several-records' | 'other-records' | 'nodata' | 'nxdomain';
      readonly domain: string;
      readonly name: string;
      readonly ttl: number;
    }
  | {
      readonly status: 'temporary-failure';
      readonly domain: string;
      readonly name: string;
      readonly reason: DnsFailure;
    };

/** Whom to ask, and for how much and how long. */
export interface LookupOptions {
  readonly resolver: Resolver;
  readonly limits?: Partial<DmarcLimits> | undefined;
  /** Ends the look-ups that are still open; each is then a temporary failure. */
  readonly signal?: AbortSignal | undefined;
}

/** The queries of one evaluation. */
export class PolicyLookups {
  readonly #resolver: Resolver;
  readonly #limits: Partial<DmarcLimits> | undefined;
  readonly #options: ResolveOptions;
  readonly #asked = new Map<string, PolicyLookup | Promise<PolicyLookup>>();
  readonly #answers: PolicyLookup[] = [];

  constructor({ resolver, limits, signal }: LookupOptions) {
    this.#resolver = resolver;
    this.#limits = limits;
    this.#options = signal === undefined ? {} : { signal };
  }

  /** Every answer so far, in the order it was asked for. */
  get answers(): readonly PolicyLookup[] {
    return this.#answers;
  }

  /** Asks for the policy record of a domain; the second time it gives the first answer. */
  at(domain: string): PolicyLookup | Promise<PolicyLookup> {
    const earlier = this.#asked.get(domain);
    if (earlier !== undefined) return earlier;
    const name = `_dmarc.${domain}`;
    const lookup = after(lookUp(this.#resolver, name, 'TXT', this.#options), (answer) => {
      const read = readAnswer(domain, name, answer, this.#limits);
      this.#answers.push(read);
      return read;
    });
    this.#asked.set(domain, lookup);
    return lookup;
  }
}

function readAnswer(
  domain: string,
  name: string,
  answer: DnsAnswer<'TXT'>,
  limits: Partial<DmarcLimits> | undefined,
): PolicyLookup {
  if (answer.status === 'temporary-failure') return { status: answer.status, domain, name, reason: answer.reason };
  if (answer.status !== 'found') return { status: answer.status, domain, name, ttl: answer.ttl };

  let found: { record: string; parsed: Exclude<ParsedDmarcRecord, { kind: 'other' }> } | undefined;
  for (const bytes of answer.records) {
    const { record, parsed } = limits === undefined ? readings.read(bytes) : readRecord(recordText(bytes), limits);
    if (parsed.kind === 'other') continue;
    if (found) return { status: 'several-records', domain, name, ttl: answer.ttl };
    found = { record, parsed };
  }
  if (!found) return { status: 'other-records', domain, name, ttl: answer.ttl };
  return { status: 'record', domain, name, record: found.record, parsed: found.parsed, ttl: answer.ttl };
}

/** A record's text, as much of it as is shown, and what it says. */
interface RecordReading {
  readonly record: string;
  readonly parsed: ParsedDmarcRecord;
}

function readRecord(text: string, limits: Partial<DmarcLimits> = {}): RecordReading {
  return {
    record: text.slice(0, limits.recordLength ?? dmarcLimits.recordLength),
    parsed: parseDmarcRecord(text, limits),
  };
}

/** With the default limits. */
const readings = new RecordCache((text) => readRecord(text));

/** A TXT record as {@link parseDmarcRecord} reads it: one character per octet. */
export function recordText(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

/** The `psd` flag of the record that was found, whether or not its policy can be used. */
export function publicSuffixFlag(lookup: PolicyLookup): 'y' | 'n' | 'u' | undefined {
  if (lookup.status !== 'record') return undefined;
  return lookup.parsed.kind === 'usable' ? lookup.parsed.record.psd : lookup.parsed.psd;
}
