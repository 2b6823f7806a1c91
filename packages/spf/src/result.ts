import type { DnsAnswer, RecordType } from '@zegel/dns';
import type { SpfCode, SpfResultWord, SpfValues } from './codes.ts';

/** What a check came to, and everything that led there. Plain data: it can be stored and sent as JSON. */
export interface SpfResult {
  readonly result: SpfResultWord;
  readonly code: SpfCode;
  /** A sentence for a person, in English. */
  readonly explanation: string;
  /** What can be done about it, and by whom. */
  readonly advice?: string;
  readonly identity: 'mailfrom' | 'helo';
  /** The domain that was checked, as A-labels; what was given instead, when that is no domain. */
  readonly domain: string;
  /**
   * The domain owner's own words for a `fail` (`exp=`, RFC 7208 §6.2): printable US-ASCII, and not to be trusted.
   * Show it only as the words of a third party.
   */
  readonly explanationText?: string;
  readonly evidence: SpfEvidence;
}

export interface SpfEvidence {
  /** The client address in its usual form; an IPv4-mapped one as IPv4. */
  readonly ip: string;
  readonly helo: string;
  /** The reverse-path as given, empty for the null one; absent when the HELO identity was checked. */
  readonly mailFrom?: string;
  /**
   * The sender that macros use: the reverse-path, or `postmaster@` the HELO name (RFC 7208 §2.4, §4.3). A reverse-path
   * without a domain as given.
   */
  readonly sender: string;
  /** The record of `domain`. From the DNS: not to be trusted. */
  readonly record?: string;
  /** The term that decided the result, and the domain whose record holds it. Absent when none did. */
  readonly matched?: { readonly term: string; readonly domain: string };
  readonly counts: SpfCounts;
  /** Every step in the order it began. Bounded by `maxTraceEntries`. */
  readonly trace: readonly SpfTraceEntry[];
  /** Steps left out of the trace. */
  readonly traceOmitted: number;
  /** What the words of `explanation` and `advice` were filled with: see `describeSpf`. */
  readonly values: SpfValues;
}

/** How much of its limits a check has used, `include` and `redirect` included. */
export interface SpfCounts {
  /** Terms that may query the DNS, as RFC 7208 §4.6.4 counts them. */
  readonly lookupTerms: number;
  /** Terms whose query for their own name found nothing. */
  readonly voidLookups: number;
  /** DNS questions asked, of every kind. Nothing limits them but the other limits. */
  readonly queries: number;
}

/** What a step came to. `error` ends the check, unless the step is the explanation. */
export type SpfStepOutcome = 'record' | 'match' | 'no-match' | 'followed' | 'explanation' | 'not-used' | 'error';

/** One step: reading a record, evaluating a term of it, or looking up the explanation. */
export interface SpfTraceEntry {
  readonly step: 'record' | 'term' | 'explanation';
  /** The domain whose record it is. */
  readonly domain: string;
  /** How many `include` lie around it. */
  readonly depth: number;
  /** The term as it stands in the record; for a record its text, cut at 512 characters. */
  readonly text: string;
  readonly lookups: readonly SpfLookup[];
  readonly outcome: SpfStepOutcome;
  /** After this step and everything inside it. */
  readonly counts: SpfCounts;
  /** This is the step that decided the result. */
  readonly decisive: boolean;
}

/** One DNS question and its answer. */
export interface SpfLookup {
  readonly name: string;
  readonly type: RecordType;
  readonly status: DnsAnswer['status'] | 'unanswered';
  /** Why there was no answer, for `temporary-failure`. */
  readonly reason?: string;
  readonly ttl?: number;
  /** The first ten addresses or names of the answer. */
  readonly records?: readonly string[];
}
