import { reversePath } from '@zegel/mail-flow';
import type { WholeOutcome } from '@zegel/mail-flow';
import type { Logger } from '@zegel/service-runtime';
import type { z } from 'zod';
import { answerJson } from '../answer.ts';
import type { ApiGround, Handler } from '../handlers.ts';
import { Problem } from '../problem.ts';
import { parseJsonAs, requireJson } from '../read-json.ts';
import { hookRunner, readAddress, readMode, remarkOn } from './run-hook.ts';
import { rebuildMessage, stalwartModifications } from './stalwart-message.ts';
import type { RebuiltMessage } from './stalwart-message.ts';
import { stalwartRequestSchema } from './stalwart-request.ts';
import type { stalwartAnswerSchema } from './stalwart-request.ts';
import { hookNotice } from './texts.ts';

type Answer = z.input<typeof stalwartAnswerSchema>;

/** Stalwart's MTA hooks, version 1. */
export function stalwartHook(ground: ApiGround, logger: Logger): Handler {
  const run = hookRunner(ground, logger, 'stalwart');
  return (call) => {
    const { request, response, token } = call;
    const mode = readMode(request);
    requireJson(request);
    return ground.reader.withJson(call, async (bytes) => {
      const { context, envelope, message } = parseJsonAs(bytes, stalwartRequestSchema);
      const version = context.protocol?.version ?? 1;
      if (version !== 1) {
        throw new Problem(422, { code: 'hook.version', detail: 'The version of MTA hooks that is spoken here is 1.' });
      }
      if (context.stage.toLowerCase() !== 'data' || message === null || message === undefined) {
        const answer: Answer = { action: 'accept', modifications: [], zegel: hookNotice('hook.nothing-to-do') };
        answerJson(response, answer);
        return;
      }
      const { client, sasl } = context;
      const helo = client.helo ?? client.ehlo ?? undefined;
      const rebuilt = rebuildMessage(message);
      const outcome = await run(
        { request, response, token, mode },
        {
          raw: rebuilt.raw,
          mayBeDamaged: rebuilt.mayBeDamaged,
          // Where a field is deleted Stalwart writes all others anew, with a space behind the colon.
          isHeaderExact: false,
          session: {
            ...readAddress(client.ip),
            ...(helo === undefined ? {} : { helo }),
            ...(sasl === null || sasl === undefined ? {} : { login: sasl.login }),
          },
          ...(envelope === null || envelope === undefined ? {} : { mailFrom: reversePath(envelope.from.address) }),
        },
      );
      answerJson(response, answerOf(outcome, rebuilt));
    });
  };
}

function answerOf(outcome: WholeOutcome, rebuilt: RebuiltMessage): Answer {
  const { modifications, isComplete } = stalwartModifications(rebuilt, outcome.edits);
  const zegel = remarkOn(outcome, [
    ...(rebuilt.mayBeDamaged ? [hookNotice('message.bytes-not-exact')] : []),
    ...(isComplete ? [] : [hookNotice('hook.removal-not-possible')]),
  ]);
  const { reply, quarantine } = outcome;
  if (reply !== null) {
    const response = {
      status: reply.code,
      enhanced_status: reply.enhanced,
      message: reply.text,
      disconnect: false,
    } as const;
    return { action: 'reject', response, modifications: [], zegel };
  }
  return { action: quarantine === null ? 'accept' : 'quarantine', modifications: [...modifications], zegel };
}
