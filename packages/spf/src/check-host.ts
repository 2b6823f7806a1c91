/** check_host() (RFC 7208 §4): may this client send mail for this domain? */
import type { Resolver } from '@zegel/dns';
import { describeSpf, spfCodeResults } from './codes.ts';
import type { SpfValues } from './codes.ts';
import { Deadline } from './deadline.ts';
import { identityDomain } from './domain.ts';
import { SpfInputError } from './errors.ts';
import { evaluateDomain } from './evaluate-domain.ts';
import type { Verdict } from './evaluate-domain.ts';
import { noCounts } from './evaluation.ts';
import type { Evaluation, Mutable } from './evaluation.ts';
import { findExplanation } from './explanation.ts';
import { formatIp, parseClientIp } from './ip.ts';
import { spfLimits } from './limits.ts';
import type { SpfLimits } from './limits.ts';
import type { SpfEvidence, SpfResult } from './result.ts';

/** Who is to be checked, and with what. */
export interface SpfHeloOptions {
  /**
   * The client's address: one plain IPv4 or IPv6 address without zone. Anything else throws a SpfInputError; an
   * IPv4-mapped IPv6 address counts as IPv4 (RFC 7208 §5).
   */
  readonly ip: string;
  /** The name the client gave in HELO or EHLO, whatever it is; empty when it gave none. */
  readonly helo: string;
  readonly resolver: Resolver;
  /** The time for `%{t}`. Default: now. */
  readonly now?: Date | undefined;
  /** Limits that differ from {@link spfLimits}. */
  readonly limits?: Partial<SpfLimits> | undefined;
  /** Ends the check early: `temperror` with `spf.deadline-exceeded`. */
  readonly signal?: AbortSignal | undefined;
  /** The name of the receiving host, for `%{r}`. Default: `unknown`, as RFC 7208 §7.3 has it. */
  readonly receiver?: string | undefined;
}

export interface SpfMailFromOptions extends SpfHeloOptions {
  /** The reverse-path without angle brackets; empty for the null reverse-path. */
  readonly mailFrom: string;
}

/**
 * Checks the MAIL FROM identity (RFC 7208 §2.4): may the client send for the domain of the reverse-path? With a null
 * reverse-path, for `postmaster` at the HELO name. This is the identity DMARC looks at.
 *
 * Whatever mail and DNS hold is a result. Throws a SpfInputError for an `ip` that is none; an exception of the
 * resolver, which the Resolver contract forbids for anything the DNS does, is passed on. Asks at most about
 * 10 × (1 + 10) questions with the default limits, and ends within `maxDuration` even if the resolver never answers.
 */
export function checkHost(options: SpfMailFromOptions): Promise<SpfResult> {
  const { mailFrom, helo } = options;
  if (mailFrom === '') return check(options, mailFrom, 'postmaster', helo);
  const at = mailFrom.lastIndexOf('@');
  const domain = at === -1 ? '' : mailFrom.slice(at + 1);
  // RFC 7208 §4.3: a sender without a local part is its postmaster.
  return check(options, mailFrom, mailFrom.slice(0, Math.max(at, 0)) || 'postmaster', domain);
}

/** Checks the HELO identity (RFC 7208 §2.3): may the client call itself by this name? Otherwise as checkHost(). */
export function checkHelo(options: SpfHeloOptions): Promise<SpfResult> {
  return check(options, undefined, 'postmaster', options.helo);
}

/** Checks MAIL FROM, or HELO when there is no `mailFrom`. */
async function check(
  options: SpfHeloOptions,
  mailFrom: string | undefined,
  localPart: string,
  domainText: string,
): Promise<SpfResult> {
  const client = parseClientIp(options.ip);
  if (client === undefined) {
    throw new SpfInputError('spf.invalid-ip', 'ip must be one IPv4 or IPv6 address in its usual textual form');
  }
  const limits: SpfLimits = options.limits === undefined ? spfLimits : { ...spfLimits, ...options.limits };
  const domain = identityDomain(domainText);
  const identity = domain ?? domainText;
  const deadline = new Deadline(limits.maxDuration, options.signal);
  const evaluation: Evaluation = {
    resolver: options.resolver,
    limits,
    deadline,
    client,
    identity,
    session: {
      client,
      helo: options.helo,
      localPart,
      domain: identity,
      receiver: options.receiver ?? 'unknown',
      now: options.now ?? new Date(),
      maxLength: limits.maxMacroValueLength,
    },
    underWay: new Set(domain === undefined ? [] : [domain]),
    counts: noCounts,
    trace: [],
    traceOmitted: 0,
    record: undefined,
  };
  try {
    const evaluating =
      domain === undefined
        ? notADomain(identity || (mailFrom ?? ''))
        : evaluateDomain(evaluation, { domain, depth: 0 });
    const verdict = evaluating instanceof Promise ? await evaluating : evaluating;
    if (verdict.step !== undefined) verdict.step.decisive = true;
    const { explanation } = verdict;
    const isExplained = verdict.finding.code === 'spf.fail' && explanation !== undefined;
    const words = isExplained ? await findExplanation(evaluation, explanation.modifier, explanation.place) : undefined;
    return assemble(evaluation, mailFrom, verdict, words);
  } finally {
    deadline.end();
  }
}

/** @param text what was given instead; a reverse-path as a whole when nothing in it is a domain */
function notADomain(text: string): Verdict {
  if (text === '') return { finding: { code: 'spf.no-domain', values: {} } };
  return { finding: { code: 'spf.invalid-domain', values: { domain: text } } };
}

function assemble(
  evaluation: Evaluation,
  mailFrom: string | undefined,
  { finding, matched }: Verdict,
  explanationText: string | undefined,
): SpfResult {
  const { code } = finding;
  const { identity, session, record } = evaluation;
  const ip = formatIp(evaluation.client);
  const values: SpfValues = { domain: identity, identity, ip, ...finding.values };
  const evidence: Mutable<SpfEvidence> = {
    ip,
    helo: session.helo,
    sender: `${session.localPart}@${identity}`,
    counts: evaluation.counts,
    trace: evaluation.trace,
    traceOmitted: evaluation.traceOmitted,
    values,
  };
  if (mailFrom !== undefined) evidence.mailFrom = mailFrom;
  if (identity === '' && evidence.mailFrom) evidence.sender = evidence.mailFrom;
  if (record !== undefined) evidence.record = record;
  if (matched !== undefined) evidence.matched = matched;
  const result: Mutable<SpfResult> = {
    ...describeSpf(code, values),
    result: spfCodeResults[code],
    code,
    identity: mailFrom === undefined ? 'helo' : 'mailfrom',
    domain: identity,
    evidence,
  };
  if (explanationText !== undefined) result.explanationText = explanationText;
  return result;
}
