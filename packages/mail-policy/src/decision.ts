import type { SigningCode, SigningResult } from '@zegel/signing';
import type { RefusalCode, SubmitterCode } from './codes.ts';
import type { RefusalDecision, RefusalGroup } from './refusal.ts';
import type { FoundSubmitter } from './submitter.ts';

/** What became of an outbound message. */
export type OutboundOutcome = 'signed' | 'unsigned' | 'deferred' | 'rejected';

/**
 * What was decided about one outbound message, flat and in codes: members of the line that a door logs, and of what
 * `zegel explain --json` shows. It holds domains and selectors, no local parts. Members without a value are absent.
 */
export interface OutboundDecision {
  readonly outcome: OutboundOutcome;
  readonly submitter: SubmitterCode;
  /** How sign() ended. */
  readonly code: SigningCode;
  readonly authorDomain?: string;
  /** The author pattern of the rule that chose. */
  readonly rule?: string;
  /** The signing domain. */
  readonly domain?: string;
  /** Selectors with their algorithm. */
  readonly keys?: string;
  /** The domains whose keys were looked for in vain. */
  readonly lookedFor?: string;
  readonly limit?: string;
  readonly refusal?: RefusalCode;
  readonly group?: RefusalGroup;
}

const outcomes = {
  'send-unsigned': 'unsigned',
  tempfail: 'deferred',
  reject: 'rejected',
} as const satisfies Record<RefusalDecision['action'], OutboundOutcome>;

/** The decision about one outbound message, from its steps. `refusal` is what {@link onRefusal} says of `result`. */
export function outboundDecision(
  submitter: FoundSubmitter,
  result: SigningResult,
  refusal: RefusalDecision | null,
): OutboundDecision {
  const { authorDomain, rule, domain, selectors, lookedFor, limit } = result.evidence;
  return {
    outcome: refusal === null ? 'signed' : outcomes[refusal.action],
    submitter: submitter.code,
    code: result.code,
    ...(authorDomain === undefined ? {} : { authorDomain }),
    ...(rule === undefined ? {} : { rule }),
    ...(domain === undefined ? {} : { domain }),
    ...(selectors === undefined ? {} : { keys: selectors }),
    ...(lookedFor === undefined ? {} : { lookedFor }),
    ...(limit === undefined ? {} : { limit }),
    ...(refusal === null ? {} : { refusal: refusal.code, group: refusal.group }),
  };
}
