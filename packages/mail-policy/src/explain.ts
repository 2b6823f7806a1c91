import type { AuthenticationReport } from '@zegel/authentication';
import { parseHeader, readAuthor } from '@zegel/message';
import { sign } from '@zegel/signing';
import type { SigningOptions } from '@zegel/signing';
import { outboundDecision } from './decision.ts';
import type { OutboundDecision } from './decision.ts';
import { decideDirection } from './direction.ts';
import type { DirectionDecision, OutboundPolicy } from './direction.ts';
import { decideDisposition } from './disposition.ts';
import type { Disposition, InboundPolicy } from './disposition.ts';
import { onRefusal } from './refusal.ts';
import type { RefusalDecision, RefusalPolicy } from './refusal.ts';
import type { MailSession } from './session.ts';
import { findSubmitter } from './submitter.ts';
import type { FoundSubmitter, SubmitterPolicy } from './submitter.ts';

/** The rules that a door goes by. */
export interface MailRules {
  readonly outbound: OutboundPolicy;
  readonly submitters: SubmitterPolicy;
  readonly signing: SigningOptions;
  readonly onRefusal: RefusalPolicy;
  readonly inbound: InboundPolicy;
}

/** What would become of a message, and why. */
export type MailExplanation =
  | {
      readonly direction: DirectionDecision;
      readonly submitter: FoundSubmitter;
      readonly decision: OutboundDecision;
      /** How sign() ended, in words. */
      readonly explanation: string;
      readonly advice?: string;
      readonly refusal: RefusalDecision | null;
    }
  | {
      readonly direction: DirectionDecision;
      /** What would become of it if DMARC … */
      readonly dispositions: {
        readonly ifPass: Disposition;
        readonly ifQuarantine: Disposition;
        readonly ifReject: Disposition;
        readonly ifTemporaryError: Disposition;
      };
    };

/**
 * What would become of a message with this From field body, by the same steps that a door takes: a message of that one field is
 * signed, and thrown away. What depends on the rest of a message, such as repeated fields, is not seen.
 *
 * Rejects when a key source or map of logins is lost. The answer repeats the login, for the person who asks.
 */
export async function explainMail(session: MailSession, from: string, rules: MailRules): Promise<MailExplanation> {
  const direction = decideDirection(session, rules.outbound);
  const raw = Buffer.from(`From: ${from}\r\n\r\n`);
  if (direction.direction === 'inbound') {
    const author = readAuthor(parseHeader(raw));
    const authorDomain = author.ok ? author.domains[0] : undefined;
    const ifDmarc = (
      result: 'pass' | 'fail' | 'temperror',
      disposition: 'none' | 'quarantine' | 'reject',
    ): Disposition => decideDisposition(supposedReport(result, disposition, authorDomain), session, rules.inbound);
    return {
      direction,
      dispositions: {
        ifPass: ifDmarc('pass', 'none'),
        ifQuarantine: ifDmarc('fail', 'quarantine'),
        ifReject: ifDmarc('fail', 'reject'),
        ifTemporaryError: ifDmarc('temperror', 'none'),
      },
    };
  }
  const submitter = await findSubmitter(session, direction.direction, rules.submitters);
  const result = await sign(raw, { submitter }, rules.signing);
  const refusal = onRefusal(result, rules.onRefusal);
  return {
    direction,
    submitter,
    decision: outboundDecision(submitter, result, refusal),
    explanation: result.explanation,
    ...(result.advice === undefined ? {} : { advice: result.advice }),
    refusal,
  };
}

/** A report of which only DMARC is supposed: neither a list nor a sealer vouches for the message. */
function supposedReport(
  result: 'pass' | 'fail' | 'temperror',
  disposition: 'none' | 'quarantine' | 'reject',
  authorDomain: string | undefined,
): Parameters<typeof decideDisposition>[0] {
  const texts = { explanation: '', evidence: {} };
  const spf = { result: 'none' as const, code: 'spf.none', explanation: '', identity: 'mailfrom' as const, domain: '' };
  const dmarc: AuthenticationReport['dmarc'] = {
    result,
    code: `dmarc.${result}`,
    explanation: '',
    disposition,
    ...(authorDomain === undefined ? {} : { authorDomain }),
    alignment: { dkim: [] },
    evidence: { discoveryMethod: 'treewalk', walk: [] },
  };
  return {
    dmarc,
    notices: [],
    dkim: [],
    spf: { mailFrom: spf, helo: { ...spf, identity: 'helo' } },
    arc: { ...texts, result: 'none', code: 'arc.none', sets: 0, domains: [], evidence: { sets: [] } },
  };
}
