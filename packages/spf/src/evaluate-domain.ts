/** One record and its terms, from left to right, with the records it includes or redirects to (RFC 7208 §4.4–4.7). */
import { after } from '@zegel/dns';
import type { DnsAnswer } from '@zegel/dns';
import { spfCodeResults } from './codes.ts';
import type { SpfCode } from './codes.ts';
import { isMultiLabel } from './domain.ts';
import { ask, beginStep, countLookup, deadlineExceeded, endStep, shownText, temporaryFailure } from './evaluation.ts';
import type { Evaluation, Finding, Place, Step } from './evaluation.ts';
import { matches, matchesLocally } from './mechanisms.ts';
import { isSpfRecord, parseKnownRecord } from './parse.ts';
import { isLocal } from './record.ts';
import type { Directive, DomainModifier, LocalMechanism, Mechanism, Qualifier, SpfRecord } from './record.ts';
import type { SpfEvidence } from './result.ts';
import { targetName } from './target-name.ts';
import type { Target } from './target-name.ts';

/** What a domain's record says about the client. */
export interface Verdict {
  readonly finding: Finding;
  /** The step that decided. */
  readonly step?: Step;
  readonly matched?: NonNullable<SpfEvidence['matched']>;
  /** Where the owner of the record that decided says why. */
  readonly explanation?: { readonly modifier: DomainModifier; readonly place: Place };
}

/** Evaluates the record of a domain, which is a normalized name. */
export function evaluateDomain(evaluation: Evaluation, place: Place): Verdict | Promise<Verdict> {
  const step = beginStep(evaluation, 'record', place, '');
  if (!isMultiLabel(place.domain)) return stopReading(evaluation, step, 'spf.invalid-domain');
  return after(ask(evaluation, step, place.domain, 'TXT'), (answer) => {
    const read = readAnswer(evaluation, step, answer);
    if ('finding' in read) return read;
    const { record } = read;
    evaluation.record ??= record.text;
    return evaluateTerms(evaluation, { domain: place.domain, depth: place.depth, record }, 0);
  });
}

/** RFC 7208 §4.4, §4.5: the one TXT record of the domain that is an SPF record. */
function readAnswer(
  evaluation: Evaluation,
  step: Step,
  answer: DnsAnswer<'TXT'>,
): { readonly record: SpfRecord } | Verdict {
  if (answer.status === 'temporary-failure') {
    const { code, values } = temporaryFailure(evaluation, step.domain, 'TXT', answer);
    return stopReading(evaluation, step, code, values);
  }
  if (answer.status === 'nxdomain') return stopReading(evaluation, step, 'spf.domain-not-found');
  let octets: Uint8Array | undefined;
  let count = 0;
  for (const record of answer.status === 'found' ? answer.records : []) {
    if (!isSpfRecord(record)) continue;
    octets = record;
    count++;
  }
  if (octets === undefined) return stopReading(evaluation, step, 'spf.no-record');
  if (count > 1) return stopReading(evaluation, step, 'spf.multiple-records', { count: String(count) });
  const parsed = parseKnownRecord(octets, evaluation.limits.maxRecordLength);
  if (!parsed.ok) {
    const { fault, term, position } = parsed.error;
    evaluation.record ??= showRecord(octets);
    return stopReading(evaluation, step, 'spf.syntax-error', { fault, term, position: String(position) });
  }
  step.text = shownText(parsed.record.text);
  endStep(evaluation, step, 'record');
  return parsed;
}

function stopReading(evaluation: Evaluation, step: Step, code: SpfCode, values: Finding['values'] = {}): Verdict {
  endStep(evaluation, step, 'error');
  return { finding: { code, values: { domain: step.domain, ...values } }, step };
}

/** A record that cannot be read, as far as it is worth showing. */
function showRecord(octets: Uint8Array): string {
  return new TextDecoder('latin1').decode(octets.subarray(0, 512));
}

/** A record under evaluation. */
interface PlacedRecord extends Place {
  readonly record: SpfRecord;
}

/** Evaluates the terms of a record from one on. */
function evaluateTerms(evaluation: Evaluation, place: PlacedRecord, from: number): Verdict | Promise<Verdict> {
  const { record } = place;
  const { directives } = record;
  const isLate = evaluation.deadline.passed;
  for (let at = from; at < directives.length; at++) {
    const directive = directives[at];
    if (directive === undefined) break;
    const step = beginStep(evaluation, 'term', place, directive.text);
    const { mechanism } = directive;
    const outcome = isLocal(mechanism)
      ? matchesLocally(mechanism, evaluation.client)
      : evaluateMechanism(evaluation, step, mechanism, place);
    if (outcome instanceof Promise) return evaluateLater(evaluation, place, directive, step, outcome, at + 1);
    const verdict = conclude(evaluation, place, directive, step, outcome, isLate);
    if (verdict !== undefined) return verdict;
  }
  if (record.redirect !== undefined) return redirect(evaluation, record.redirect, place);
  return { finding: { code: 'spf.no-match', values: { domain: place.domain } } };
}

/** A term that has to be waited for, and those from `next` on. (No closure in the loop: V8 would pay for it at each turn.) */
async function evaluateLater(
  evaluation: Evaluation,
  place: PlacedRecord,
  directive: Directive,
  step: Step,
  outcome: Promise<boolean | Verdict>,
  next: number,
): Promise<Verdict> {
  const late = await outcome;
  const verdict = conclude(evaluation, place, directive, step, late, evaluation.deadline.passed);
  return verdict ?? evaluateTerms(evaluation, place, next);
}

/** Ends the step of a term: a verdict where the check ends with it. */
function conclude(
  evaluation: Evaluation,
  place: PlacedRecord,
  directive: Directive,
  step: Step,
  outcome: boolean | Verdict,
  isLate: boolean,
): Verdict | undefined {
  if (outcome === false && !isLate) {
    endStep(evaluation, step, 'no-match');
    return undefined;
  }
  if (outcome !== true) {
    endStep(evaluation, step, 'error');
    return outcome === false ? { finding: deadlineExceeded(), step } : outcome;
  }
  endStep(evaluation, step, 'match');
  const { domain, record } = place;
  const { text } = directive;
  const finding = { code: matchCode(evaluation, directive), values: { domain, term: text } };
  const matched = { term: text, domain };
  if (record.explanation === undefined) return { finding, step, matched };
  return { finding, step, matched, explanation: { modifier: record.explanation, place } };
}

function matchCode(evaluation: Evaluation, directive: Directive): SpfCode {
  if (directive.qualifier === '+' && matchesEveryHost(evaluation, directive.mechanism)) return 'spf.pass-any-host';
  return codeOfQualifier[directive.qualifier];
}

/** Would the mechanism, having matched, match every other client of this IP version too? */
function matchesEveryHost(evaluation: Evaluation, mechanism: Mechanism): boolean {
  switch (mechanism.name) {
    case 'all':
      return true;
    case 'a':
    case 'mx':
      return (evaluation.client.version === 4 ? mechanism.prefix4 : mechanism.prefix6) === 0;
    case 'ip4':
    case 'ip6':
      return mechanism.network.prefixLength === 0;
    default:
      return false;
  }
}

/** RFC 7208 §4.6.2. */
const codeOfQualifier: Readonly<Record<Qualifier, SpfCode>> = {
  '+': 'spf.pass',
  '-': 'spf.fail',
  '~': 'spf.softfail',
  '?': 'spf.neutral',
};

/** Does it match? A verdict where the check ends. */
function evaluateMechanism(
  evaluation: Evaluation,
  step: Step,
  mechanism: Exclude<Mechanism, LocalMechanism>,
  place: Place,
): boolean | Verdict | Promise<boolean | Verdict> {
  const finding = countLookup(evaluation, step);
  if (finding !== undefined) return { finding, step };
  return after(targetName(evaluation, step, mechanism.domain, place.domain), (target) => {
    if (target.status === 'over-limit') return { finding: target.finding, step };
    // RFC 8616 §4: a term that needs a local part with no ASCII form does not match.
    if (target.status === 'unusable') return false;
    if (mechanism.name === 'include') {
      return after(follow(evaluation, step, target, place.depth + 1), (inner) => includes(step, target.name, inner));
    }
    if (target.status === 'malformed') return false;
    return after(matches(evaluation, step, mechanism, target.name), (outcome) =>
      typeof outcome === 'boolean' ? outcome : { finding: withDomain(outcome, place.domain), step },
    );
  });
}

function withDomain(finding: Finding, domain: string): Finding {
  return { code: finding.code, values: { domain, ...finding.values } };
}

/** RFC 7208 §5.2: only a pass of the included record is a match, and an included domain without a record an error. */
function includes(step: Step, target: string, inner: Verdict): boolean | Verdict {
  switch (spfCodeResults[inner.finding.code]) {
    case 'pass':
      return true;
    case 'fail':
    case 'softfail':
    case 'neutral':
      return false;
    case 'none':
      return stopAt(step, 'spf.include-without-record', target);
    case 'temperror':
    case 'permerror':
      return inner;
  }
}

/** RFC 7208 §6.1: the other record's verdict is this one's, its explanation included. */
function redirect(evaluation: Evaluation, modifier: DomainModifier, place: Place): Verdict | Promise<Verdict> {
  const step = beginStep(evaluation, 'term', place, modifier.text);
  const finding = countLookup(evaluation, step);
  if (finding !== undefined) return { finding, step };
  return after(targetName(evaluation, step, modifier.domain, place.domain), (target) => {
    if (target.status === 'over-limit') return { finding: target.finding, step };
    if (target.status === 'unusable') return stopAt(step, 'spf.redirect-without-record', modifier.text);
    return after(follow(evaluation, step, target, place.depth), (verdict) => {
      const found = spfCodeResults[verdict.finding.code] !== 'none';
      endStep(evaluation, step, found ? 'followed' : 'error');
      return found ? verdict : stopAt(step, 'spf.redirect-without-record', target.name);
    });
  });
}

/** The verdict of another record: `none` for a name that has none, or that cannot be asked (RFC 7208 §4.3). */
function follow(
  evaluation: Evaluation,
  step: Step,
  target: Extract<Target, { readonly name: string }>,
  depth: number,
): Verdict | Promise<Verdict> {
  if (target.status === 'malformed') {
    return { finding: { code: 'spf.invalid-domain', values: { domain: target.name } }, step };
  }
  const { domain } = target;
  const { underWay } = evaluation;
  // What is being evaluated has not matched so far and will not the second time: it would use up the limit.
  if (underWay.has(domain)) return stopAt(step, 'spf.loop', domain);
  underWay.add(domain);
  const next = { domain, depth };
  const evaluating =
    underWay.size % recordsAtOnce === 0
      ? Promise.resolve(next).then((place) => evaluateDomain(evaluation, place))
      : evaluateDomain(evaluation, next);
  return after(evaluating, (verdict) => {
    underWay.delete(domain);
    return verdict;
  });
}

/**
 * Records that lead to one another and are known, evaluated without a promise: a limit that was raised must not use up
 * the stack.
 */
const recordsAtOnce = 100;

function stopAt(step: Step, code: SpfCode, name: string): Verdict {
  return { finding: { code, values: { domain: step.domain, term: step.text, name } }, step };
}
