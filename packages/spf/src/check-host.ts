/** check_host() (RFC 7208 §4): may this client send mail for this domain? */
import { normalizeName } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { describeSpf, spfCodeResults } from './codes.ts';
import type { SpfValues } from './codes.ts';
import { Deadline } from './deadline.ts';
import { identityDomain } from './domain.ts';
import { SpfInputError } from './errors.ts';
import { evaluateDomain } from './evaluate-domain.ts';
import type { Verdict } from './evaluate-domain.ts';
import { noCounts } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { findExplanation } from './explanation.ts';
import { dottedForm, formatIp, parseClientIp } from './ip.ts';
import type { IpAddress } from './ip.ts';
import { spfLimits } from './limits.ts';
import type { SpfLimits } from './limits.ts';
import type { MacroValues } from './macro.ts';
import type { SpfResult } from './result.ts';

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
  const limits: SpfLimits = { ...spfLimits, ...options.limits };
  const domain = identityDomain(domainText);
  const deadline = new Deadline(limits.maxDuration, options.signal);
  const evaluation: Evaluation = {
    resolver: options.resolver,
    limits,
    deadline,
    client,
    identity: domain ?? domainText,
    macros: senderMacros(options, limits, client, localPart, domain ?? domainText),
    active: new Set(),
    counts: { lookupTerms: 0, voidLookups: 0, queries: 0 },
    shownCounts: noCounts,
    trace: [],
    traceOmitted: 0,
  };
  try {
    const verdict = domain === undefined ? notADomain(domainText) : await evaluateDomain(evaluation, domain, 0);
    if (verdict.step !== undefined) verdict.step.decisive = true;
    const words = await ownersWords(evaluation, verdict);
    const sender = `${localPart}@${domain ?? domainText}`;
    return assemble(evaluation, { helo: options.helo, mailFrom, sender }, verdict, words);
  } finally {
    deadline.end();
  }
}

function notADomain(text: string): Verdict {
  if (text === '') return { finding: { code: 'spf.no-domain', values: {} } };
  return { finding: { code: 'spf.invalid-domain', values: { domain: text } } };
}

/** RFC 7208 §7.2, §7.3. Most records hold no macro: what they stand for is worked out when one does. */
function senderMacros(
  options: SpfHeloOptions,
  limits: SpfLimits,
  client: IpAddress,
  localPart: string,
  domain: string,
): Evaluation['macros'] {
  let shared: MacroValues | undefined;
  return (recordDomain, clientName) => {
    shared ??= sharedMacros(options, limits, client, localPart, domain);
    return { ...shared, d: recordDomain, p: clientName };
  };
}

/** Of all records: everything but `%{d}` and `%{p}`. A value that cannot stand in a name or a line of text is undefined (RFC 8616 §4). */
function sharedMacros(
  options: SpfHeloOptions,
  limits: SpfLimits,
  client: IpAddress,
  localPart: string,
  domain: string,
): MacroValues {
  const usable = (value: string): string | undefined =>
    value.length <= limits.maxMacroValueLength && isPrintableAscii(value) ? value : undefined;
  return {
    s: usable(`${localPart}@${domain}`),
    l: usable(localPart),
    o: usable(domain),
    i: dottedForm(client),
    v: client.version === 4 ? 'in-addr' : 'ip6',
    h: usable(isPrintableAscii(options.helo) ? options.helo : (normalizeName(options.helo) ?? options.helo)),
    c: formatIp(client),
    r: usable(options.receiver ?? 'unknown'),
    t: String(Math.floor((options.now ?? new Date()).getTime() / 1000)),
  };
}

function isPrintableAscii(text: string): boolean {
  return !/[^\x20-\x7e]/.test(text);
}

async function ownersWords(evaluation: Evaluation, verdict: Verdict): Promise<string | undefined> {
  if (verdict.finding.code !== 'spf.fail' || verdict.explanation === undefined) return undefined;
  return findExplanation(evaluation, verdict.explanation.modifier, verdict.explanation.domain);
}

function assemble(
  evaluation: Evaluation,
  session: { readonly helo: string; readonly mailFrom: string | undefined; readonly sender: string },
  verdict: Verdict,
  explanationText: string | undefined,
): SpfResult {
  const { code } = verdict.finding;
  const ip = formatIp(evaluation.client);
  const values: SpfValues = {
    domain: evaluation.identity,
    identity: evaluation.identity,
    ip,
    ...verdict.finding.values,
  };
  return {
    result: spfCodeResults[code],
    code,
    ...describeSpf(code, values),
    identity: session.mailFrom === undefined ? 'helo' : 'mailfrom',
    domain: evaluation.identity,
    ...(explanationText === undefined ? {} : { explanationText }),
    evidence: {
      ip,
      helo: session.helo,
      ...(session.mailFrom === undefined ? {} : { mailFrom: session.mailFrom }),
      sender: session.sender,
      ...(verdict.record === undefined ? {} : { record: verdict.record }),
      ...(verdict.matched === undefined ? {} : { matched: verdict.matched }),
      counts: { ...evaluation.counts },
      trace: evaluation.trace,
      traceOmitted: evaluation.traceOmitted,
      values,
    },
  };
}
