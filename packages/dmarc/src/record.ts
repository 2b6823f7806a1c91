/**
 * The DMARC policy record (RFC 9989 §4.7): what a domain owner publishes at `_dmarc.<domain>`.
 */

/** What a domain owner asks for mail that fails. */
export type Policy = 'none' | 'quarantine' | 'reject';

/** How closely an authenticated domain must match the author domain (RFC 9989 §4.4). */
export type AlignmentMode = 'relaxed' | 'strict';

/**
 * Whether the domain is a public suffix: `y` it is; `n` it is not, and it is the organizational domain for what lies
 * below; `u` it is not, and the tree walk decides.
 */
export type PublicSuffixFlag = 'y' | 'n' | 'u';

/** When failure reports are wanted: `0` nothing aligned passed, `1` something did not, `d` DKIM, `s` SPF. */
export type FailureOption = '0' | '1' | 'd' | 's';

/** A policy record after all defaults. Tags that RFC 9989 does not know, or calls historic, are not in it. */
export interface DmarcRecord {
  /** For the domain itself. `none` also stands for a missing or invalid policy in a record with a valid `rua`. */
  readonly p: Policy;
  /** For existing subdomains; `p` when absent. */
  readonly sp?: Policy;
  /** For subdomains that do not exist; `sp`, then `p`, when absent. */
  readonly np?: Policy;
  readonly adkim: AlignmentMode;
  readonly aspf: AlignmentMode;
  readonly psd: PublicSuffixFlag;
  /** `t=y`: the owner is testing and expects the policy one level lower to be applied. */
  readonly testing: boolean;
  /** Of no meaning without `ruf` (RFC 9989 §4.7). */
  readonly fo: readonly FailureOption[];
  /** URIs for aggregate reports, without the obsolete size suffix. */
  readonly rua: readonly string[];
  /** URIs for failure reports, without the obsolete size suffix. */
  readonly ruf: readonly string[];
}

/**
 * Something in a record that was passed over: `syntax` no `tag=value`; `repeated` a tag given more than once, every
 * one of them ignored; `invalid` a value outside the tag's rule; `historic` a tag of RFC 7489 that has no effect;
 * `unknown` a tag nobody registered; `too-many` URIs above the limit; `too-long` the whole record above the limit.
 */
export interface RecordFault {
  readonly problem: 'syntax' | 'repeated' | 'invalid' | 'historic' | 'unknown' | 'too-many' | 'too-long';
  /** The tag's name in lower case, or the text that is no tag. */
  readonly tag: string;
}

/** One entry of a `rua` or `ruf` list: a URI of RFC 3986 in which `,` and `!` are percent-encoded (RFC 9989 §4.8). */
const reportingUri = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@$&'()*+=]|%[0-9A-Fa-f]{2})+$/;

/** Whether a text may stand in `rua` or `ruf`. Any scheme is valid there; which of them a reporter serves is its own affair. */
export function isReportingUri(text: string): boolean {
  return reportingUri.test(text);
}
