import type { AuthenticationReport } from '@zegel/authentication';
import { isSubdomainOf } from '@zegel/dns';
import { authorCodes, fillTexts } from '@zegel/message';
import type { IpNetwork } from '@zegel/spf';
import { dispositionCodes } from './codes.ts';
import type { DispositionCode } from './codes.ts';
import { findNetwork, formatNetwork } from './network.ts';
import { smtpReply } from './reply.ts';
import type { SmtpReply } from './reply.ts';
import type { MailSession } from './session.ts';

/** What a DMARC failure comes to here. Domains are A-labels in lower case. */
export interface InboundPolicy {
  /** `annotate` accepts everything; `enforce` does as DMARC asks. */
  readonly policy: 'annotate' | 'enforce';
  readonly exceptions: {
    /** Author domains, with all below them, whose policy is not applied. */
    readonly domains: readonly string[];
    /** Clients for whose mail no policy is applied. */
    readonly networks: readonly IpNetwork[];
    /** Domains, compared whole, whose ARC seal is believed when it says that DMARC passed there. */
    readonly sealers: readonly string[];
    /** Domains of mailing lists, with all below them: mail that SPF or DKIM authenticates for one of them. */
    readonly mailingLists: readonly string[];
  };
  /**
   * For mail whose DMARC result is `temperror`, unless it is an exception or its policy is known and asks for
   * nothing; in both policies. It is never rejected for good.
   */
  readonly onTemporaryError: 'accept' | 'tempfail';
  /** For mail without one author domain that DMARC could speak for; under `enforce` only. */
  readonly onAmbiguousAuthor: 'accept' | 'quarantine' | 'reject';
  /**
   * For mail above a limit, of which nothing was checked; under `enforce` only. Accepted it would be the way past every
   * policy: a forger needs no more than one long field.
   */
  readonly onLimitExceeded: 'accept' | 'quarantine' | 'reject';
}

export const defaultInboundPolicy: InboundPolicy = {
  policy: 'annotate',
  exceptions: { domains: [], networks: [], sealers: [], mailingLists: [] },
  onTemporaryError: 'accept',
  onAmbiguousAuthor: 'reject',
  onLimitExceeded: 'reject',
};

/** Why a policy was not applied, in the words of aggregate reports (RFC 9990). */
export type PolicyOverride = 'local_policy' | 'mailing_list' | 'trusted_forwarder';

export interface Disposition {
  readonly action: 'accept' | 'reject' | 'quarantine' | 'tempfail';
  readonly code: DispositionCode;
  readonly explanation: string;
  /** For `reject` and `tempfail`. */
  readonly reply?: SmtpReply;
  /** For `quarantine`: one line of at most 100 characters. */
  readonly reason?: string;
  /** Less was done than for other such mail, for this reason. */
  readonly override?: PolicyOverride;
}

const maxReasonLength = 100;

type DecidingReport = Pick<AuthenticationReport, 'dmarc' | 'arc' | 'spf' | 'dkim' | 'notices'>;

/** What becomes of an inbound message by its authentication and by who handed it in. */
export function decideDisposition(report: DecidingReport, session: MailSession, policy: InboundPolicy): Disposition {
  const { dmarc } = report;
  const authorDomain = dmarc.authorDomain ?? 'the author';
  const values = {
    authorDomain,
    policyDomain: dmarc.policy?.domain ?? authorDomain,
    policy: dmarc.disposition,
    reason: whyUnjudged(report),
  };
  const accept = (code: DispositionCode, more: object = {}): Disposition => ({
    action: 'accept',
    ...outcome(code, { ...values, ...more }),
  });

  if (dmarc.result !== 'temperror') {
    if (policy.policy === 'annotate') return accept('disposition.annotate');
    if (dmarc.result === 'pass') return accept('disposition.pass');
    if (dmarc.result === 'none') return accept('disposition.no-policy');
  }
  const { action, code, reply } = measureFor(dmarc, policy, values);
  if (action === 'accept') return accept(code);
  const exception = findException(report, session, policy.exceptions);
  if (exception !== null) {
    return { ...accept(exception.code, { ...exception.values, policy: action }), override: exception.override };
  }
  const found = outcome(code, values);
  if (action !== 'quarantine') return { action, ...found, reply };
  return { action, ...found, reason: reply.text.slice(0, maxReasonLength) };
}

/** What is done about mail that does not pass, unless there is an exception. */
interface Measure {
  readonly action: Disposition['action'];
  readonly code: DispositionCode;
  /** What a refusal says, and the reason of a quarantine. */
  readonly reply: SmtpReply;
}

function measureFor(dmarc: AuthenticationReport['dmarc'], policy: InboundPolicy, values: object): Measure {
  if (dmarc.result === 'temperror') {
    const template = 'DMARC for {authorDomain} cannot be checked for now, try again later';
    const reply = smtpReply(451, '4.7.0', template, values);
    if (policy.onTemporaryError === 'accept') {
      return { action: 'accept', code: 'disposition.temporary-error-accepted', reply };
    }
    return asksForNothing(dmarc)
      ? { action: 'accept', code: 'disposition.temporary-error-policy-none', reply }
      : { action: 'tempfail', code: 'disposition.temporary-error', reply };
  }
  if (dmarc.code === 'message.limit-exceeded') {
    const reply = smtpReply(550, '5.3.4', '{reason}', values);
    return { action: policy.onLimitExceeded, code: 'disposition.limit-exceeded', reply };
  }
  if (dmarc.result === 'permerror') {
    const reply = smtpReply(550, '5.7.1', 'DMARC: {reason}', values);
    return { action: policy.onAmbiguousAuthor, code: 'disposition.ambiguous-author', reply };
  }
  const { disposition: asked } = dmarc;
  const template = 'DMARC: {authorDomain} asks to {policy} mail that does not authenticate';
  const reply = smtpReply(550, '5.7.1', template, values);
  return { action: asked === 'none' ? 'accept' : asked, code: `disposition.policy-${asked}`, reply };
}

/** What keeps DMARC from a verdict. What is wrong with a From that cannot be read only the notices say. */
function whyUnjudged({ dmarc, notices }: DecidingReport): string {
  if (dmarc.code !== 'dmarc.no-author-domain') return dmarc.explanation;
  return (notices.find(({ code }) => authorCodes.some((known) => known === code)) ?? dmarc).explanation;
}

/** Whether the policy is known and asks for nothing, however the check would end: np= too, below its own domain. */
function asksForNothing({ authorDomain, policy }: AuthenticationReport['dmarc']): boolean {
  if (policy?.applied !== 'none') return false;
  return policy.domain === authorDomain || (policy.np ?? 'none') === 'none';
}

interface Exception {
  readonly code: DispositionCode;
  readonly values: object;
  readonly override: PolicyOverride;
}

function findException(
  { dmarc, arc, spf, dkim }: DecidingReport,
  session: MailSession,
  exceptions: InboundPolicy['exceptions'],
): Exception | null {
  const { authorDomain } = dmarc;
  if (authorDomain !== undefined && liesIn(authorDomain, exceptions.domains) !== undefined) {
    return { code: 'disposition.exempt-domain', values: {}, override: 'local_policy' };
  }
  const network = findNetwork(session.ip, exceptions.networks, (entry) => entry);
  if (network !== undefined) {
    const values = { network: formatNetwork(network) };
    return { code: 'disposition.exempt-network', values, override: 'local_policy' };
  }
  const trusted = arc.result === 'pass' ? arc.trust?.dmarc : undefined;
  if (trusted?.result === 'pass' && trusted.headerFrom !== undefined && trusted.headerFrom === authorDomain) {
    // A later sealer can replace all that came before it, so each from the trusted word on must be on the list.
    const sealers = arc.domains.slice(0, arc.sets - trusted.instance + 1);
    if (sealers.every((sealer) => exceptions.sealers.includes(sealer))) {
      return { code: 'disposition.trusted-sealer', values: { sealer: trusted.sealer }, override: 'trusted_forwarder' };
    }
  }
  const authenticated = [
    ...dkim.filter(({ result }) => result === 'pass').map(({ domain }) => domain),
    ...(spf.mailFrom.result === 'pass' ? [spf.mailFrom.domain] : []),
  ];
  for (const domain of authenticated) {
    const list = domain === undefined ? undefined : liesIn(domain.toLowerCase(), exceptions.mailingLists);
    if (list !== undefined)
      return { code: 'disposition.exempt-mailing-list', values: { list }, override: 'mailing_list' };
  }
  return null;
}

function liesIn(domain: string, domains: readonly string[]): string | undefined {
  return domains.find((entry) => isSubdomainOf(domain, entry));
}

function outcome(code: DispositionCode, values: object): Pick<Disposition, 'code' | 'explanation'> {
  return { code, explanation: fillTexts(dispositionCodes[code], values).explanation };
}
