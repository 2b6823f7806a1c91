/** What one check carries along: its DNS, its counts and its trace. Every question and every count goes through here. */
import type { DnsAnswer, DnsFailure, RecordType, Resolver } from '@zegel/dns';
import type { SpfCode, SpfValues } from './codes.ts';
import type { Deadline } from './deadline.ts';
import type { IpAddress } from './ip.ts';
import type { SpfLimits } from './limits.ts';
import type { MacroSession } from './macro-values.ts';
import type { SpfCounts, SpfLookup, SpfStepOutcome, SpfTraceEntry } from './result.ts';

export interface Evaluation {
  readonly resolver: Resolver;
  readonly limits: SpfLimits;
  readonly deadline: Deadline;
  readonly client: IpAddress;
  /** The domain of the identity: whose record set the limits are blamed on. */
  readonly identity: string;
  /** What macros are made of. */
  readonly session: MacroSession;
  /** Whose records are being evaluated: those that lead to one another. */
  readonly underWay: Set<string>;
  /** Replaced at each count: the steps in between share one. */
  counts: SpfCounts;
  readonly trace: SpfTraceEntry[];
  traceOmitted: number;
  /** The text of the identity's own record. */
  record: string | undefined;
}

/** A record, and how deep it lies. */
export interface Place {
  /** Whose record it is. */
  readonly domain: string;
  /** How many `include` lie around it. */
  readonly depth: number;
}

/** What is still being put together. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A trace entry that is still being written. */
export type Step = Omit<Mutable<SpfTraceEntry>, 'lookups'> & { lookups: readonly SpfLookup[] };

/** Before anything is counted. */
export const noCounts: SpfCounts = { lookupTerms: 0, voidLookups: 0, queries: 0 };

/** A code with what its words need: why a check ends here. */
export interface Finding {
  readonly code: SpfCode;
  readonly values: SpfValues;
}

const shownTextLength = 512;
const shownRecords = 10;
/** Of all the steps that ask nothing. */
const noLookups: readonly SpfLookup[] = [];

/** Opens a step of the trace; above the trace's limit it is only counted. */
export function beginStep(evaluation: Evaluation, kind: SpfTraceEntry['step'], place: Place, text: string): Step {
  const step: Step = {
    step: kind,
    domain: place.domain,
    depth: place.depth,
    text: shownText(text),
    lookups: noLookups,
    outcome: 'error',
    counts: evaluation.counts,
    decisive: false,
  };
  if (evaluation.trace.length < evaluation.limits.maxTraceEntries) evaluation.trace.push(step);
  else evaluation.traceOmitted++;
  return step;
}

/** A term or record as far as the trace shows it. */
export function shownText(text: string): string {
  return text.length > shownTextLength ? text.slice(0, shownTextLength) : text;
}

/** Closes a step with what it came to. */
export function endStep(evaluation: Evaluation, step: Step, outcome: SpfStepOutcome): void {
  step.outcome = outcome;
  step.counts = evaluation.counts;
}

/** Asks the DNS, as long as there is time. When there is none left, the answer is a time-out at once. */
export function ask<T extends RecordType>(
  evaluation: Evaluation,
  step: Step,
  name: string,
  type: T,
): DnsAnswer<T> | Promise<DnsAnswer<T>> {
  const { deadline, resolver, counts } = evaluation;
  if (deadline.passed) {
    addLookup(step, { name, type, status: 'unanswered' });
    return timedOut;
  }
  evaluation.counts = { ...counts, queries: counts.queries + 1 };
  const known = resolver.known?.(name, type);
  if (known === undefined) return waitFor(evaluation, step, name, type);
  addLookup(step, describeLookup(name, type, known));
  return known;
}

async function waitFor<T extends RecordType>(
  { deadline, resolver }: Evaluation,
  step: Step,
  name: string,
  type: T,
): Promise<DnsAnswer<T>> {
  const lookup: SpfLookup = { name, type, status: 'unanswered' };
  addLookup(step, lookup);
  const { signal } = deadline;
  const late: DnsAnswer<T> = { ...timedOut };
  const answer = await deadline.wait(resolver.resolve(name, type, { signal }), late);
  if (answer !== late) Object.assign(lookup, describeLookup(name, type, answer));
  return answer;
}

const timedOut = { status: 'temporary-failure', reason: 'timeout', cnames: [] } as const;

function addLookup(step: Step, lookup: SpfLookup): void {
  step.lookups = step.lookups === noLookups ? [lookup] : [...step.lookups, lookup];
}

/** A look-up and its answer as the trace shows them. */
function describeLookup<T extends RecordType>(name: string, type: T, answer: DnsAnswer<T>): SpfLookup {
  const { status } = answer;
  if (answer.status === 'temporary-failure') return { name, type, status, reason: answer.reason };
  const { ttl } = answer;
  if (answer.status !== 'found' || type === 'TXT') return { name, type, status, ttl };
  return { name, type, status, ttl, records: answer.records.slice(0, shownRecords).map(showRecord) };
}

function showRecord(record: unknown): string {
  if (typeof record === 'string') return record;
  return typeof record === 'object' && record !== null && 'exchange' in record ? String(record.exchange) : '';
}

/** The finding that a term without an answer ends the check with (RFC 7208 §5). */
export function temporaryFailure(
  evaluation: Evaluation,
  name: string,
  type: RecordType,
  answer: DnsAnswer & { status: 'temporary-failure' },
): Finding {
  if (evaluation.deadline.passed) return deadlineExceeded();
  return { code: failureCodes[answer.reason], values: { name, type, reason: answer.reason } };
}

/** Whose name servers are to blame: the domain's, or ours that did not listen or did not want to ask them. */
const failureCodes: Readonly<Record<DnsFailure, SpfCode>> = {
  timeout: 'spf.dns-timeout',
  servfail: 'spf.dns-failure',
  malformed: 'spf.dns-failure',
  refused: 'spf.resolver-failure',
  network: 'spf.resolver-failure',
};

export function deadlineExceeded(): Finding {
  return { code: 'spf.deadline-exceeded', values: {} };
}

/** Counts a query that the limit on terms covers (RFC 7208 §4.6.4), before it is made. */
export function countLookup(evaluation: Evaluation, step: Step): Finding | undefined {
  const { counts } = evaluation;
  const lookupTerms = counts.lookupTerms + 1;
  evaluation.counts = { ...counts, lookupTerms };
  const limit = evaluation.limits.maxLookupTerms;
  if (lookupTerms <= limit) return undefined;
  return overLimit('spf.too-many-lookups', step, limit);
}

/** Counts a term whose query for its own name found nothing (RFC 7208 §4.6.4). */
export function countVoid(evaluation: Evaluation, step: Step): Finding | undefined {
  const { counts } = evaluation;
  const voidLookups = counts.voidLookups + 1;
  evaluation.counts = { ...counts, voidLookups };
  const limit = evaluation.limits.maxVoidLookups;
  if (voidLookups <= limit) return undefined;
  return overLimit('spf.too-many-void-lookups', step, limit);
}

function overLimit(code: SpfCode, step: Step, limit: number): Finding {
  return { code, values: { domain: step.domain, term: step.text, limit: String(limit) } };
}
