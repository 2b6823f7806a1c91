/**
 * The policy that a record states for one author domain (RFC 9989 §4.10.1 and the `t` tag of §4.7).
 */
import type { AlignmentMode, FailureOption, Policy, PublicSuffixFlag, DmarcRecord } from './record.ts';

/** The policy of a message's author domain: the record, and what it comes to for this domain. */
export interface DmarcPolicy {
  /** The domain at whose `_dmarc` name the record stands. */
  readonly domain: string;
  /** The record as published, one character per octet. */
  readonly record: string;
  readonly p: Policy;
  readonly sp?: Policy;
  readonly np?: Policy;
  /**
   * What the record asks for mail of this author domain that fails: `p` at the domain itself, `sp` below it, `np` when
   * the author domain does not exist, and one level lower while testing. Whether the domain exists is only asked for a
   * message that fails; until then it is taken to exist.
   */
  readonly applied: Policy;
  /** `t=y` is set. */
  readonly testing: boolean;
  readonly adkim: AlignmentMode;
  readonly aspf: AlignmentMode;
  readonly psd: PublicSuffixFlag;
  readonly fo: readonly FailureOption[];
  readonly rua: readonly string[];
  readonly ruf: readonly string[];
  /** The record's own policy was missing or invalid, and `none` stands in for it. */
  readonly policyAssumed: boolean;
}

/** What a record asks for mail that fails, at its own domain or below it. */
export function selectPolicy(record: DmarcRecord, author: 'own' | 'existing' | 'non-existent'): Policy {
  const { p, sp = p, np = sp } = record;
  const policy = author === 'own' ? p : author === 'existing' ? sp : np;
  return record.testing ? lower(policy) : policy;
}

function lower(policy: Policy): Policy {
  return policy === 'reject' ? 'quarantine' : 'none';
}
