import { uniquePrefixes } from '@zegel/auth-results';
import type { AuthenticationResults, MethodResult, ResultProperty } from '@zegel/auth-results';
import { normalizeDomain } from '@zegel/message';
import type {
  AuthenticationReport,
  ArcVerdict,
  AuthVerdict,
  BimiVerdict,
  DkimVerdict,
  DmarcVerdict,
  IprevVerdict,
  SpfVerdict,
} from './report.ts';

/** The verdicts that go into an Authentication-Results field. */
export type Verdicts = Pick<AuthenticationReport, 'dkim' | 'spf' | 'dmarc' | 'arc' | 'iprev' | 'auth' | 'bimi'>;

export interface WriteOptions {
  /** The reverse-path is null, so that SPF looked at the HELO name instead. */
  readonly nullReversePath: boolean;
  readonly maxSignatures: number;
}

/**
 * What our Authentication-Results field says (RFC 8601 §2.7).
 *
 * Only what a method authenticated is named: domains, no local parts. (A local part may hold any text, such as
 * `dmarc=pass`, which a reader who searches instead of parsing would find.) SPF is written for MAIL FROM alone: a careless
 * reader takes a pass of HELO for one of the sender (CVE-2019-20790). A verdict other than pass and none carries its
 * code as reason.
 */
export function writeResults(
  authservId: string,
  { dkim, spf, dmarc, arc, iprev, auth, bimi }: Verdicts,
  { nullReversePath, maxSignatures }: WriteOptions,
): AuthenticationResults {
  return {
    authservId,
    results: [
      ...authResults(auth),
      ...iprevResults(iprev),
      ...dkimResults(dkim, maxSignatures),
      ...spfResults(spf.mailFrom, nullReversePath),
      dmarcResult(dmarc),
      ...arcResults(arc),
      ...bimiResults(bimi),
    ],
  };
}

function dkimResults(dkim: readonly DkimVerdict[], maxSignatures: number): readonly MethodResult[] {
  const checked = dkim.filter((verdict) => verdict.code !== 'dkim.too-many-signatures').slice(0, maxSignatures);
  const prefixes = uniquePrefixes(checked.map((verdict) => verdict.signature ?? ''));
  return checked.map((verdict, index) =>
    methodResult('dkim', verdict, [
      ['header', 'd', verdict.domain],
      ['header', 'i', identityDomain(verdict)],
      ['header', 's', verdict.selector],
      ['header', 'a', verdict.algorithm],
      ['header', 'b', prefixes[index]],
    ]),
  );
}

/** The domain of i= with its `@`, when it is not that of d=. */
function identityDomain({ identity, domain }: DkimVerdict): string | undefined {
  const text = identity?.slice(identity.lastIndexOf('@'));
  return text === `@${domain}` ? undefined : text;
}

/** Nothing is said of a check that was not made. */
function spfResults(verdict: SpfVerdict, nullReversePath: boolean): readonly MethodResult[] {
  if (verdict.evidence === undefined) return [];
  const property = nullReversePath ? 'helo' : 'mailfrom';
  return [methodResult('spf', verdict, [['smtp', property, normalizeDomain(verdict.domain) ?? undefined]])];
}

function dmarcResult(verdict: DmarcVerdict): MethodResult {
  return methodResult('dmarc', verdict, [
    ['header', 'from', verdict.authorDomain],
    ['policy', 'dmarc', verdict.policy?.applied],
  ]);
}

/** Nothing is said of a chain that is not there. */
function arcResults(verdict: ArcVerdict): readonly MethodResult[] {
  if (verdict.result === 'none') return [];
  return [methodResult('arc', verdict, [['header', 'oldest-pass', verdict.oldestPass?.toString()]])];
}

function iprevResults(verdict: IprevVerdict | undefined): readonly MethodResult[] {
  return verdict === undefined ? [] : [methodResult('iprev', verdict, [['policy', 'iprev', verdict.evidence.ip]])];
}

/** A login that is no plain address or name is not written: a reader who searches instead of parsing may see anything in it. */
function authResults(verdict: AuthVerdict | undefined): readonly MethodResult[] {
  if (verdict === undefined) return [];
  const isPlain = /^[A-Za-z0-9._+-]{1,64}(?:@[A-Za-z0-9.-]{1,253})?$/.test(verdict.login);
  return [methodResult('auth', verdict, [['smtp', 'auth', isPlain ? verdict.login : undefined]])];
}

function bimiResults(verdict: BimiVerdict | undefined): readonly MethodResult[] {
  if (verdict === undefined) return [];
  const { domain, selector, authorityResult } = verdict;
  return [
    methodResult('bimi', verdict, [
      ['header', 'd', domain],
      ['header', 'selector', selector],
      ['policy', 'authority', authorityResult],
    ]),
  ];
}

function methodResult(
  method: string,
  verdict: { readonly result: string; readonly code: string },
  properties: readonly (readonly [ptype: string, property: string, value: string | undefined])[],
): MethodResult {
  const written: ResultProperty[] = [];
  for (const [ptype, property, value] of properties) {
    if (value !== undefined && value !== '') written.push({ ptype, property, value });
  }
  const { result, code } = verdict;
  const isExplained = result !== 'pass' && result !== 'none';
  return isExplained ? { method, result, reason: code, properties: written } : { method, result, properties: written };
}
