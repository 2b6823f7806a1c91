import { findForged } from '@zegel/auth-results';
import { findSubmitter, onRefusal, outboundDecision } from '@zegel/mail-policy';
import type { FoundSubmitter } from '@zegel/mail-policy';
import { noEdits } from '@zegel/message';
import type { HeaderEdits } from '@zegel/message';
import { beginSigning } from '@zegel/signing';
import type { SigningResult } from '@zegel/signing';
import type { Instruments } from '@zegel/service-runtime';
import type { MessageOutcome, MessageRun, RunStart } from './message-run.ts';

/** Begins to sign a message that goes out. Rejects when the map of logins is lost. */
export async function beginOutbound(start: RunStart, instruments: Instruments): Promise<MessageRun> {
  const { header, session, mailFrom, rules, isHeaderExact } = start;
  const submitter = await findSubmitter(session, 'outbound', rules.submitters);
  const { canonicalization } = rules.signing;
  const signing = beginSigning(
    header,
    { envelope: { mailFrom }, submitter },
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
    return { outcome, reply: null, edits, quarantine: null, told };
  }
  instruments.countRefusal({ group: refusal.group, action: refusal.action });
  if (refusal.reply === undefined) {
    instruments.countUnsigned({ reason: result.code });
    return {
      outcome,
      reply: null,
      edits: { remove: removals, prepend: [] },
      quarantine: null,
      told,
    };
  }
  return {
    outcome,
    reply: refusal.reply,
    edits: noEdits,
    quarantine: null,
    told,
  };
}
