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
  const results: MethodResult[] = [];
  if (auth !== undefined) results.push(authResult(auth));
  if (iprev !== undefined) results.push(methodResult('iprev', iprev, [['policy', 'iprev', iprev.evidence.ip]]));
  results.push(...dkimResults(dkim, maxSignatures));
  // Nothing is said of a check that was not made.
  if (spf.mailFrom.evidence !== undefined) results.push(spfResult(spf.mailFrom, nullReversePath));
  results.push(dmarcResult(dmarc));
  // Nor of a chain that is not there.
  if (arc.result !== 'none') results.push(arcResult(arc));
  if (bimi !== undefined) results.push(bimiResult(bimi));
  return { authservId, results };
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

function spfResult(verdict: SpfVerdict, nullReversePath: boolean): MethodResult {
  const property = nullReversePath ? 'helo' : 'mailfrom';
  return methodResult('spf', verdict, [['smtp', property, normalizeDomain(verdict.domain) ?? undefined]]);
}

function dmarcResult(verdict: DmarcVerdict): MethodResult {
  return methodResult('dmarc', verdict, [
    ['header', 'from', verdict.authorDomain],
    ['policy', 'dmarc', verdict.policy?.applied],
  ]);
}

function arcResult(verdict: ArcVerdict): MethodResult {
  return methodResult('arc', verdict, [['header', 'oldest-pass', verdict.oldestPass?.toString()]]);
}

/** A login that is no plain address or name is not written: a reader who searches instead of parsing may see anything in it. */
function authResult(verdict: AuthVerdict): MethodResult {
  const isPlain = /^[A-Za-z0-9._+-]{1,64}(?:@[A-Za-z0-9.-]{1,253})?$/.test(verdict.login);
  return methodResult('auth', verdict, [['smtp', 'auth', isPlain ? verdict.login : undefined]]);
}

function bimiResult(verdict: BimiVerdict): MethodResult {
  const { domain, selector, authorityResult } = verdict;
  return methodResult('bimi', verdict, [
    ['header', 'd', domain],
    ['header', 'selector', selector],
    ['policy', 'authority', authorityResult],
  ]);
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
