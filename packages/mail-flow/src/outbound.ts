import { findForged } from '@zegel/auth-results';
import { findSubmitter, onRefusal, outboundDecision } from '@zegel/mail-policy';
import type { FoundSubmitter } from '@zegel/mail-policy';
import { noEdits } from '@zegel/message';
import type { HeaderEdits } from '@zegel/message';
import { beginSigning } from '@zegel/signing';
import type { SigningResult } from '@zegel/signing';
import type { Instruments } from '@zegel/service-runtime';
import { authorsOf } from './authors-within.ts';
import type { MessageOutcome, MessageRun, RunStart } from './message-run.ts';

/** Begins to sign a message that goes out. Rejects when the map of logins is lost. */
export async function beginOutbound(start: RunStart, instruments: Instruments): Promise<MessageRun> {
  const { header, session, mailFrom, rules, isHeaderExact, mayBeDamaged = false, authorsWithin } = start;
  const found = await findSubmitter(session, 'outbound', rules.submitters);
  const submitter =
    authorsWithin === undefined ? found : { ...found, maySignAs: authorsOf(found.maySignAs, authorsWithin) };
  const { canonicalization } = rules.signing;
  const signing = beginSigning(
    header,
    { ...(mailFrom === undefined ? {} : { envelope: { mailFrom } }), submitter, mayBeDamaged },
    // Where the header is not exact, only the relaxed canonicalization makes the same of it as of the message.
    isHeaderExact || canonicalization === undefined
      ? rules.signing
      : { ...rules.signing, canonicalization: { ...canonicalization, header: 'relaxed' } },
  );
  return {
    needsBody: signing.needsBody,
    body: (chunk) => signing.body(chunk),
    async end() {
      const result = await signing.end();
      instruments.countSigning(result);
      return outcomeOf(result, submitter, withoutOwnResults(start), start, instruments);
    },
    abort: () => signing.abort(),
  };
}

/** Fields that claim to be our results: nobody but our own border may have written them. */
function withoutOwnResults({ header, rules }: RunStart): HeaderEdits['remove'] {
  if (!rules.removeOwnResultsOutbound) return [];
  const { authservId, ourAuthservIds = [] } = rules.authentication;
  return findForged(header, [authservId, ...ourAuthservIds]);
}

function outcomeOf(
  result: SigningResult,
  submitter: FoundSubmitter,
  removals: HeaderEdits['remove'],
  { rules }: RunStart,
  instruments: Instruments,
): MessageOutcome {
  const refusal = onRefusal(result, rules.onRefusal);
  const decision = outboundDecision(submitter, result, refusal);
  const { outcome } = decision;
  const told = { ...decision, removed: removals.length };
  if (refusal === null) {
    const edits = { remove: [...removals, ...result.edits.remove], prepend: result.edits.prepend };
    const { code, explanation } = result;
    return { outcome, reply: null, edits, quarantine: null, code, explanation, told };
  }
  instruments.countRefusal({ group: refusal.group, action: refusal.action });
  const refused = { outcome, quarantine: null, code: result.code, explanation: refusal.explanation, told };
  if (refusal.reply === undefined) {
    instruments.countUnsigned({ reason: result.code });
    return { ...refused, reply: null, edits: { remove: removals, prepend: [] } };
  }
  return { ...refused, reply: refusal.reply, edits: noEdits };
}
