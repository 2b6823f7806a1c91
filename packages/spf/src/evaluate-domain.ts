/** One record and its terms, from left to right, with the records it includes or redirects to (RFC 7208 §4.4–4.7). */
import { normalizeName } from '@zegel/dns';
import type { DnsAnswer } from '@zegel/dns';
import { spfCodeResults } from './codes.ts';
import type { SpfCode } from './codes.ts';
import { isMultiLabel } from './domain.ts';
import { ask, beginStep, countLookup, deadlineExceeded, endStep, temporaryFailure } from './evaluation.ts';
import type { Evaluation, Finding, Step } from './evaluation.ts';
import { matches, matchesLocally } from './mechanisms.ts';
import { isSpfRecord, parseKnownRecord } from './parse.ts';
import { isLocal } from './record.ts';
import type { Directive, DomainModifier, LocalMechanism, Mechanism, Qualifier, SpfRecord } from './record.ts';
import type { SpfEvidence } from './result.ts';
import { targetName } from './target-name.ts';

/** What a domain's record says about the client. */
export interface Verdict {
  readonly finding: Finding;
  /** The step that decided. */
  readonly step?: Step;
  readonly matched?: NonNullable<SpfEvidence['matched']>;
  /** Where the owner of the record that decided says why, and the domain of that record. */
  readonly explanation?: { readonly modifier: DomainModifier; readonly domain: string };
  /** The text of the domain's own record. */
  readonly record?: string;
}

/** Evaluates the record of `domain`, which is a normalized name. `depth` counts the `include` around it. */
export async function evaluateDomain(evaluation: Evaluation, domain: string, depth: number): Promise<Verdict> {
  const step = beginStep(evaluation, 'record', domain, depth, '');
  if (!isMultiLabel(domain)) return stopReading(evaluation, step, 'spf.invalid-domain');
  const asked = ask(evaluation, step, domain, 'TXT');
  const read = readAnswer(evaluation, step, asked instanceof Promise ? await asked : asked);
  if ('finding' in read) return read;
  const { record } = read;
  evaluation.active.add(domain);
  try {
    return { ...(await evaluateRecord(evaluation, record, domain, depth)), record: record.text };
  } finally {
    evaluation.active.delete(domain);
  }
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
  const records = answer.status === 'found' ? answer.records.filter(isSpfRecord) : [];
  const [octets] = records;
  if (octets === undefined) return stopReading(evaluation, step, 'spf.no-record');
  if (records.length > 1) {
    return stopReading(evaluation, step, 'spf.multiple-records', { count: String(records.length) });
  }
  const parsed = parseKnownRecord(octets, evaluation.limits.maxRecordLength);
  if (!parsed.ok) {
    const { fault, term, position } = parsed.error;
    const values = { fault, term, position: String(position) };
    return { ...stopReading(evaluation, step, 'spf.syntax-error', values), record: showRecord(octets) };
  }
  step.text = parsed.record.text.slice(0, 512);
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

async function evaluateRecord(
  evaluation: Evaluation,
  record: SpfRecord,
  domain: string,
  depth: number,
): Promise<Verdict> {
  for (const directive of record.directives) {
    const step = beginStep(evaluation, 'term', domain, depth, directive.text);
    // Most terms are networks: they need no DNS, and no promise.
    const { mechanism } = directive;
    const outcome = isLocal(mechanism)
      ? matchesLocally(mechanism, evaluation.client)
      : await evaluateMechanism(evaluation, step, mechanism, domain, depth);
    if (outcome === false && !evaluation.deadline.passed) {
      endStep(evaluation, step, 'no-match');
      continue;
    }
    if (outcome !== true) {
      endStep(evaluation, step, 'error');
      return outcome === false ? { finding: deadlineExceeded(), step } : outcome;
    }
    endStep(evaluation, step, 'match');
    return {
      finding: { code: matchCode(evaluation, directive), values: { domain, term: directive.text } },
      step,
      matched: { term: directive.text, domain },
      ...(record.explanation === undefined ? {} : { explanation: { modifier: record.explanation, domain } }),
    };
  }
  if (record.redirect !== undefined) return redirect(evaluation, record.redirect, domain, depth);
  return { finding: { code: 'spf.no-match', values: { domain } } };
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
async function evaluateMechanism(
  evaluation: Evaluation,
  step: Step,
  mechanism: Exclude<Mechanism, LocalMechanism>,
  domain: string,
  depth: number,
): Promise<boolean | Verdict> {
  const finding = countLookup(evaluation, step);
  if (finding !== undefined) return { finding, step };
  if (mechanism.name !== 'include') {
    const outcome = await matches(evaluation, step, mechanism, domain);
    return typeof outcome === 'boolean' ? outcome : { finding: withDomain(outcome, domain), step };
  }
  const target = await targetName(evaluation, step, mechanism.domain, domain);
  if (target.status === 'over-limit') return { finding: target.finding, step };
  // RFC 8616 §4: a term that needs a local part with no ASCII form does not match.
  if (target.status === 'unusable') return false;
  return includes(step, target.name, await follow(evaluation, step, target.name, depth + 1));
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
async function redirect(
  evaluation: Evaluation,
  modifier: DomainModifier,
  domain: string,
  depth: number,
): Promise<Verdict> {
  const step = beginStep(evaluation, 'term', domain, depth, modifier.text);
  const finding = countLookup(evaluation, step);
  if (finding !== undefined) return { finding, step };
  const target = await targetName(evaluation, step, modifier.domain, domain);
  if (target.status === 'over-limit') return { finding: target.finding, step };
  if (target.status === 'unusable') return stopAt(step, 'spf.redirect-without-record', modifier.text);
  const verdict = await follow(evaluation, step, target.name, depth);
  const found = spfCodeResults[verdict.finding.code] !== 'none';
  endStep(evaluation, step, found ? 'followed' : 'error');
  return found ? verdict : stopAt(step, 'spf.redirect-without-record', target.name);
}

/** The verdict of another record: `none` for a name that has none, or that cannot be asked (RFC 7208 §4.3). */
function follow(evaluation: Evaluation, step: Step, target: string, depth: number): Verdict | Promise<Verdict> {
  const name = normalizeName(target);
  if (name === null) return { finding: { code: 'spf.invalid-domain', values: { domain: target } }, step };
  // What is being evaluated has not matched so far and will not the second time: it would use up the limit.
  if (evaluation.active.has(name)) return stopAt(step, 'spf.loop', name);
  return evaluateDomain(evaluation, name, depth);
}

function stopAt(step: Step, code: SpfCode, name: string): Verdict {
  return { finding: { code, values: { domain: step.domain, term: step.text, name } }, step };
}
