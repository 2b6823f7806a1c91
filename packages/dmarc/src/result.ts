import type { DmarcCode, DmarcWord } from './codes.ts';
import type { DmarcPolicy } from './policy.ts';
import type { AlignmentMode, Policy, RecordFault } from './record.ts';
import type { WalkStep } from './walk-step.ts';

/** The SPF words of RFC 8601 §2.7.2. */
export type SpfWord = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'policy' | 'temperror' | 'permerror';

/** The DKIM words of RFC 8601 §2.7.1. */
export type DkimWord = 'pass' | 'fail' | 'policy' | 'neutral' | 'none' | 'temperror' | 'permerror';

/** One line of the alignment table. */
export interface IdentifierAlignment<Word extends SpfWord | DkimWord = SpfWord | DkimWord> {
  /** As it was given. */
  readonly domain: string;
  readonly result: Word;
  /** Of the record that applies; relaxed when none does. */
  readonly mode: AlignmentMode;
  /** The domain is known to be aligned with the author domain, whatever `result` says. */
  readonly aligned: boolean;
  /**
   * Why it is not known whether the domain is aligned: nothing depended on it, a look-up failed, or more walks would
   * have been needed than the limit allows. `aligned` is false then.
   */
  readonly unresolved?: 'not-needed' | 'temporary-failure' | 'limit';
}

export interface DkimAlignment extends IdentifierAlignment<DkimWord> {
  readonly selector?: string;
}

/** What an evaluation rests on. */
export interface DmarcEvidence {
  /** How organizational domains were found (RFC 9990 `discovery_method`). */
  readonly discoveryMethod: 'treewalk';
  /** Every look-up of a policy record, in the order in which they were made. */
  readonly walk: readonly WalkStep[];
  /** Seconds for which the applied record may be kept. */
  readonly ttl?: number;
  /** What was passed over in the record, whether or not it could be used. */
  readonly recordFaults?: readonly RecordFault[];
  /** Whether the author domain exists, when `np` made it matter; a dangling alias exists. */
  readonly authorDomainExists?: boolean;
}

/** What was cut short. */
export type DmarcLimitCode = 'dmarc.too-many-walks';

/** The outcome of DMARC for one message (RFC 9989 §5.3). */
export interface DmarcResult {
  readonly result: DmarcWord;
  readonly code: DmarcCode;
  readonly explanation: string;
  readonly advice?: string;
  /** A-labels, lower case. Absent when there is none, or several. */
  readonly authorDomain?: string;
  /** Absent where nothing depended on it, or a look-up failed. */
  readonly organizationalDomain?: string;
  /** Absent when no record applies, or none is known. */
  readonly policy?: DmarcPolicy;
  /**
   * What the domain owner asks a receiver to do with this message: `policy.applied` for one that fails, else `none`.
   * A receiver should not reject for this reason alone (RFC 9989 §5.4).
   */
  readonly disposition: Policy;
  readonly alignment: {
    readonly spf?: IdentifierAlignment<SpfWord>;
    readonly dkim: readonly DkimAlignment[];
  };
  readonly evidence: DmarcEvidence;
  readonly limits?: readonly DmarcLimitCode[];
}
