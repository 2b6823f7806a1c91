/**
 * DMARC for one message (RFC 9989 §5.3): author domain, policy discovery, alignment, and what the domain owner asks.
 */
import { lookUp } from '@zegel/dns';
import type { DnsAnswer } from '@zegel/dns';
import { shareOrganizations } from './alignment.ts';
import { selectAuthorDomain } from './author-domain.ts';
import { describeOutcome } from './codes.ts';
import type { DmarcOutcome } from './codes.ts';
import { discover } from './discovery.ts';
import type { FoundPolicyRecord } from './discovery.ts';
import { compareIdentifiers, listIdentifiers, settleIdentifiers, tabulate } from './identifiers.ts';
import type { DkimIdentifier, Identifier, Identifiers, SpfIdentifier } from './identifiers.ts';
import { dmarcLimits } from './limits.ts';
import { selectPolicy } from './policy.ts';
import type { DmarcPolicy } from './policy.ts';
import { PolicyLookups } from './policy-lookup.ts';
import type { LookupOptions, PolicyLookup } from './policy-lookup.ts';
import type { DmarcRecord, Policy } from './record.ts';
import type { DmarcEvidence, DmarcResult } from './result.ts';
import { describeWalk } from './walk-step.ts';

/** What is known of a message when DMARC is asked. */
export type DmarcOptions = AuthorDomains &
  LookupOptions & {
    /** The result for MAIL FROM. Leave it out when SPF was not checked; never give the HELO result. */
    readonly spf?: SpfIdentifier | undefined;
    /** One for each signature, in any order. */
    readonly dkim: readonly DkimIdentifier[];
  };

/** The domains of the addresses in From: A-labels or U-labels, in any case, repeated or not. */
type AuthorDomains =
  | { readonly authorDomain: string | undefined; readonly authorDomains?: never }
  | { readonly authorDomains: readonly string[]; readonly authorDomain?: never };

/**
 * Evaluates DMARC for one message.
 *
 * Everything a message or the DNS can hold is a result, never an exception. A failed look-up gives `temperror` when the
 * verdict depended on it and is of no account when it did not: once the policy is known, an identifier with the author's
 * own name passes without a walk, and none is made for one that cannot be aligned. Each name is asked once.
 */
export async function evaluateDmarc(options: DmarcOptions): Promise<DmarcResult> {
  const { spf, dkim } = options;
  const lookups = new PolicyLookups(options);

  const author = selectAuthorDomain(
    options.authorDomains ?? (options.authorDomain === undefined ? [] : [options.authorDomain]),
  );
  if (author.status === 'missing') {
    return writeResult(author.outcome, compareIdentifiers(undefined, spf, dkim), lookups);
  }

  const authorDomain = author.domain;
  const discovering = discover(authorDomain, lookups);
  const discovery = discovering instanceof Promise ? await discovering : discovering;
  if (discovery.status === 'temporary-failure') {
    const { name, reason } = discovery;
    const outcome = describeOutcome('dmarc.policy-temporary-failure', { authorDomain, name, reason });
    return writeResult(outcome, compareIdentifiers(authorDomain, spf, dkim), lookups, { authorDomain });
  }

  const { organizationalDomain } = discovery;
  const found = { authorDomain, organizationalDomain };
  if (discovery.status === 'none') {
    const outcome = describeAbsence(authorDomain, lookups.answers);
    return writeResult(outcome, compareIdentifiers(authorDomain, spf, dkim), lookups, found);
  }
  const { policy } = discovery;
  const { ttl, parsed } = policy;
  if (parsed.kind === 'unusable') {
    const outcome = describeOutcome('dmarc.record-unusable', { name: policy.name });
    const evidence = { ttl, recordFaults: parsed.faults };
    return writeResult(outcome, compareIdentifiers(authorDomain, spf, dkim), lookups, { ...found, evidence });
  }

  const subject: Subject = {
    authorDomain,
    policy,
    record: parsed.record,
    policyAssumed: parsed.policyAssumed,
    evidence: parsed.faults.length > 0 ? { ttl, recordFaults: parsed.faults } : { ttl },
    lookups,
  };
  const identifiers = compareIdentifiers(authorDomain, spf, dkim, parsed.record);
  // Most messages pass by the author's own name: nothing more is to be asked.
  if (!hasPassed(identifiers)) return await settle(subject, organizationalDomain, identifiers, options);
  const policyAsked = selectPolicy(parsed.record, policy.domain === authorDomain ? 'own' : 'existing');
  return finish(subject, describePass(authorDomain, identifiers), identifiers, policyAsked, organizationalDomain);
}

/** A message whose author domain has a usable policy. */
interface Subject {
  readonly authorDomain: string;
  readonly policy: FoundPolicyRecord;
  readonly record: DmarcRecord;
  readonly policyAssumed: boolean;
  readonly evidence: Partial<DmarcEvidence>;
  readonly lookups: PolicyLookups;
}

function finish(
  subject: Subject,
  outcome: DmarcOutcome,
  identifiers: Identifiers,
  applied: Policy,
  organizationalDomain: string | undefined,
  evidence = subject.evidence,
): DmarcResult {
  const { authorDomain, lookups } = subject;
  const policy = describePolicy(subject, applied);
  return writeResult(outcome, identifiers, lookups, { authorDomain, organizationalDomain, policy, evidence });
}

/** The verdict where the names alone do not make it a pass. `organization` as far as discovery found it out. */
async function settle(
  subject: Subject,
  organization: string | undefined,
  compared: Identifiers,
  { resolver, signal, limits }: LookupOptions,
): Promise<DmarcResult> {
  const { authorDomain, record, policy, lookups } = subject;
  const organizations = shareOrganizations(lookups, limits?.walks ?? dmarcLimits.walks);
  const isOwn = policy.domain === authorDomain;
  const assumed = selectPolicy(record, isOwn ? 'own' : 'existing');
  let identifiers = compared;
  const end = (outcome: DmarcOutcome, applied: Policy, evidence = subject.evidence) =>
    finish(subject, outcome, identifiers, applied, organization ?? organizations.known(authorDomain), evidence);

  identifiers = await settleIdentifiers(authorDomain, identifiers, 'pass', organizations);
  if (hasPassed(identifiers)) return end(describePass(authorDomain, identifiers), assumed);

  identifiers = await settleIdentifiers(authorDomain, identifiers, 'temperror', organizations);
  const unknown = describeUncertainty(authorDomain, identifiers);
  if (unknown) return end(unknown, assumed);

  // Only a failing message needs to know whether its author domain exists, and only if that changes what is asked.
  const nonExistent = selectPolicy(record, 'non-existent');
  if (isOwn || assumed === nonExistent) return end(describeFailure(subject, identifiers, assumed), assumed);
  const answer = await lookUp(resolver, authorDomain, 'TXT', signal ? { signal } : {});
  if (answer.status === 'temporary-failure') {
    const { reason } = answer;
    const values = { authorDomain, policyDomain: policy.domain, reason };
    return end(describeOutcome('dmarc.existence-temporary-failure', values), assumed);
  }
  const authorDomainExists = nameExists(answer);
  const applied = authorDomainExists ? assumed : nonExistent;
  const evidence = { ...subject.evidence, authorDomainExists };
  return end(describeFailure(subject, identifiers, applied), applied, evidence);
}

/** RFC 8020: only NXDOMAIN says that a name does not exist, and not for a name that is an alias, wherever that leads. */
function nameExists(answer: DnsAnswer<'TXT'>): boolean {
  return answer.status !== 'nxdomain' || answer.cnames.length > 0;
}

function isAlignedPass({ given, alignment }: Identifier): boolean {
  return given.result === 'pass' && alignment.status === 'aligned';
}

function hasPassed({ spf, dkim }: Identifiers): boolean {
  return (spf !== undefined && isAlignedPass(spf)) || dkim.some(isAlignedPass);
}

function describePass(authorDomain: string, { spf, dkim }: Identifiers): DmarcOutcome {
  const signature = dkim.find(isAlignedPass);
  const spfPasses = spf !== undefined && isAlignedPass(spf);
  if (signature && spfPasses) return describeOutcome('dmarc.pass-both', { authorDomain });
  if (signature) return describeOutcome('dmarc.pass-dkim', { authorDomain, dkimDomain: signature.given.domain });
  return describeOutcome('dmarc.pass-spf', { authorDomain, spfDomain: spf?.given.domain ?? '' });
}

/** The outcome when an identifier could still have passed: a temporary error is no failure (RFC 9989 §5.3.6). */
function describeUncertainty(authorDomain: string, identifiers: Identifiers): DmarcOutcome | undefined {
  for (const { given, alignment } of listIdentifiers(identifiers)) {
    const identifier = given.domain;
    if (given.result !== 'pass' && given.result !== 'temperror') continue;
    if (alignment.status === 'temporary-failure') {
      const { name, reason } = alignment.failure;
      return describeOutcome('dmarc.alignment-temporary-failure', { authorDomain, identifier, name, reason });
    }
    if (given.result === 'temperror' && alignment.status === 'aligned') {
      return describeOutcome('dmarc.identifier-temporary-error', { authorDomain, identifier });
    }
  }
  return undefined;
}

function describeFailure(subject: Subject, identifiers: Identifiers, policy: Policy): DmarcOutcome {
  const values = { authorDomain: subject.authorDomain, policyDomain: subject.policy.domain, policy };
  const passed = listIdentifiers(identifiers).filter(({ given }) => given.result === 'pass');
  if (passed.length === 0) return describeOutcome('dmarc.not-authenticated', values);
  const domains = [...new Set(passed.map(({ given }) => given.domain))].join(', ');
  return describeOutcome('dmarc.not-aligned', { ...values, identifiers: domains });
}

/** No record applies: because there is none, or because the nearest name with any holds several. */
function describeAbsence(authorDomain: string, steps: readonly PolicyLookup[]): DmarcOutcome {
  const several = steps.find((step) => step.status === 'several-records');
  return several
    ? describeOutcome('dmarc.several-records', { name: several.name })
    : describeOutcome('dmarc.no-record', { authorDomain });
}

function describePolicy({ policy, record, policyAssumed }: Subject, applied: Policy): DmarcPolicy {
  return { ...record, domain: policy.domain, record: policy.record, applied, policyAssumed };
}

interface Findings {
  readonly authorDomain?: string;
  readonly organizationalDomain?: string | undefined;
  readonly policy?: DmarcPolicy;
  readonly evidence?: Partial<DmarcEvidence>;
}

function writeResult(
  outcome: DmarcOutcome,
  identifiers: Identifiers,
  lookups: PolicyLookups,
  { authorDomain, organizationalDomain, policy, evidence }: Findings = {},
): DmarcResult {
  const result: { -readonly [Name in keyof DmarcResult]: DmarcResult[Name] } = {
    ...outcome,
    disposition: outcome.result === 'fail' && policy !== undefined ? policy.applied : 'none',
    alignment: tabulate(identifiers),
    evidence: { ...evidence, discoveryMethod: 'treewalk', walk: describeWalk(lookups.answers) },
  };
  if (authorDomain !== undefined) result.authorDomain = authorDomain;
  if (organizationalDomain !== undefined) result.organizationalDomain = organizationalDomain;
  if (policy !== undefined) result.policy = policy;
  const isCut = listIdentifiers(identifiers).some(({ alignment }) => alignment.status === 'limit');
  if (isCut) result.limits = ['dmarc.too-many-walks'];
  return result;
}
