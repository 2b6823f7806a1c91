import { reversePath } from '@zegel/mail-flow';
import type { Logger } from '@zegel/service-runtime';
import type { Request } from 'express';
import { answerJson } from '../answer.ts';
import type { ApiGround, Handler } from '../handlers.ts';
import { Problem } from '../problem.ts';
import { fieldText } from '../read-context.ts';
import { rspamdAnswer } from './rspamd-answer.ts';
import { hookRunner, readAddress, readMode } from './run-hook.ts';

/** Fields that make the body something else than the message, or name it elsewhere: files are never read for a client. */
const refusedFields = ['File', 'Path', 'Shm', 'Shm-Offset', 'Message-Length', 'Compression'] as const;

/** `POST /checkv2`, in the shape of rspamd's: the body is the message, octet for octet. */
export function rspamdHook(ground: ApiGround, logger: Logger): Handler {
  const run = hookRunner(ground, logger, 'rspamd');
  return (call) => {
    const { request, response, token } = call;
    const mode = readMode(request);
    refuseFields(request);
    const [from, helo, login] = ['from', 'helo', 'user'].map((name) => fieldText(request, name));
    const session = {
      ...readAddress(request.get('ip')),
      ...(helo === undefined ? {} : { helo }),
      ...(login === undefined ? {} : { login }),
    };
    return ground.reader.withAnyType(call, async ({ raw, lineEndsNormalized }) => {
      const outcome = await run(
        { request, response, token, mode },
        { raw, lineEndsNormalized, session, ...(from === undefined ? {} : { mailFrom: reversePath(from) }) },
      );
      answerJson(response, rspamdAnswer(outcome, raw, lineEndsNormalized ? '\n' : '\r\n'));
    });
  };
}

function refuseFields(request: Request): void {
  const field = refusedFields.find((name) => request.get(name) !== undefined);
  if (field === undefined) return;
  throw new Problem(400, {
    code: 'hook.field-refused',
    detail: `The field ${field} is not taken: the message is the body, as it is.`,
  });
}
