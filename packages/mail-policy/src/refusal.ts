import { fillTexts } from '@zegel/message';
import type { SigningCode, SigningResult } from '@zegel/signing';
import { refusalCodes } from './codes.ts';
import type { RefusalCode } from './codes.ts';
import { smtpReply } from './reply.ts';
import type { SmtpReply } from './reply.ts';

/** What to do with an outbound message that sign() refuses. */
export type RefusalAction = 'sign-anyway' | 'send-unsigned' | 'tempfail' | 'reject';

/** The reasons for which a message is not signed, as they are configured. */
export type RefusalGroup = 'missingKey' | 'ambiguousAuthor' | 'refusedHeader' | 'notPermitted';

/**
 * What to do by reason. `sign-anyway` is meant for `missingKey` (the default domain signs) and `refusedHeader` (a repeated
 * field is signed as often as it occurs); what cannot be signed even so gets the default of its group.
 */
export type RefusalPolicy = Readonly<Record<RefusalGroup, RefusalAction>>;

export const defaultRefusalPolicy = {
  missingKey: 'tempfail',
  ambiguousAuthor: 'reject',
  refusedHeader: 'reject',
  notPermitted: 'reject',
} as const satisfies RefusalPolicy;

/** The group of each code with which sign() refuses. */
export const refusalGroups = {
  'signing.not-permitted': 'notPermitted',
  'signing.domain-mismatch': 'notPermitted',
  'signing.unknown-domain': 'missingKey',
  'signing.no-active-key': 'missingKey',
  'signing.identity-outside-domain': 'missingKey',
  'signing.several-author-domains': 'ambiguousAuthor',
  'message.no-from': 'ambiguousAuthor',
  'message.several-from': 'ambiguousAuthor',
  'message.from-too-long': 'ambiguousAuthor',
  'message.from-unparsable': 'ambiguousAuthor',
  'message.from-domain-invalid': 'ambiguousAuthor',
  'message.bytes-not-exact': 'refusedHeader',
  'message.no-header': 'refusedHeader',
  'message.cut-off': 'refusedHeader',
  'message.malformed-field': 'refusedHeader',
  'message.repeated-field': 'refusedHeader',
  'message.bare-line-ends': 'refusedHeader',
  'message.limit-exceeded': 'refusedHeader',
} as const satisfies Record<RefusedCode, RefusalGroup>;

type RefusedCode = Exclude<SigningCode, 'signing.signed' | 'signing.signed-other-domain'>;

export interface RefusalDecision {
  /** What becomes of the message. `send-unsigned` is always logged and counted by the door. */
  readonly action: Exclude<RefusalAction, 'sign-anyway'>;
  readonly group: RefusalGroup;
  readonly code: RefusalCode;
  /** For `tempfail` and `reject`. */
  readonly reply?: SmtpReply;
  readonly explanation: string;
}

/** What becomes of a message that was not signed; null when it was. */
export function onRefusal(result: SigningResult, policy: RefusalPolicy): RefusalDecision | null {
  const group = groupOf(result.code);
  if (group === null) return null;
  const wanted = policy[group];
  const action = wanted === 'sign-anyway' ? defaultRefusalPolicy[group] : wanted;
  const code: RefusalCode = wanted === 'sign-anyway' ? 'refusal.cannot-sign-anyway' : `refusal.${action}`;
  const values = { setting: `onRefusal.${group}: ${wanted}`, fallback: action };
  return {
    action,
    group,
    code,
    explanation: `${result.explanation} ${fillTexts(refusalCodes[code], values).explanation}`,
    ...(action === 'send-unsigned' ? {} : { reply: replyTo(action, group, result) }),
  };
}

function groupOf(code: SigningCode): RefusalGroup | null {
  return code === 'signing.signed' || code === 'signing.signed-other-domain' ? null : refusalGroups[code];
}

/** RFC 3463: 7.1 not authorized, 7.5 a cryptographic operation failed, 6.0 the content, 3.4 too big. */
function replyTo(action: 'tempfail' | 'reject', group: RefusalGroup, result: SigningResult): SmtpReply {
  const isTooBig = result.code === 'message.limit-exceeded';
  const detail = isTooBig
    ? '3.4'
    : { missingKey: '7.5', ambiguousAuthor: '6.0', refusedHeader: '6.0', notPermitted: '7.1' }[group];
  return action === 'reject'
    ? smtpReply(550, `5.${detail}`, '{explanation}', result)
    : smtpReply(451, `4.${detail}`, '{explanation}', result);
}
