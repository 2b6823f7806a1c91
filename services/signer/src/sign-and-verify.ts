import { authenticate } from '@zegel/authentication';
import { editMessage } from '@zegel/message';
import { countReport } from '@zegel/service-runtime';
import { sign } from '@zegel/signing';
import type { SigningResult } from '@zegel/signing';
import type { Request } from 'express';
import { answerJson, answerMessage } from './answer.ts';
import type { ApiGround, Handler } from './handlers.ts';
import { Problem } from './problem.ts';
import { queryText, readContext } from './read-context.ts';

/** The two verbs over REST. */
export function signAndVerifyHandlers({ authentication, rules, instruments, reader }: ApiGround): {
  readonly sign: Handler;
  readonly verify: Handler;
} {
  return {
    sign(call) {
      const { request, response, token } = call;
      const wanted = wantedType(request);
      const domain = queryText(request, 'domain');
      return reader.with(call, async ({ raw, lineEndsNormalized }) => {
        const result = await sign(
          raw,
          { submitter: { maySignAs: token.domains ?? ['*'] }, ...(domain === undefined ? {} : { domain }) },
          rules().signing,
        );
        instruments.countSigning(result);
        if (result.result === 'refused') throw refusal(result);
        if (wanted === 'message/rfc822') return answerMessage(response, editMessage(raw, result.edits));
        const { code, explanation, signatures } = result;
        const notices = lineEndsNormalized ? [lineEndsNotice] : [];
        answerJson(response, { result: 'signed', code, explanation, signatures, notices });
      });
    },

    verify(call) {
      const { request, response } = call;
      const wanted = wantedType(request);
      const context = readContext(request);
      return reader.with(call, async ({ raw, lineEndsNormalized }) => {
        const { report, edits } = await authenticate(raw, { ...context, lineEndsNormalized }, authentication);
        countReport(instruments, report);
        if (wanted === 'message/rfc822') return answerMessage(response, editMessage(raw, edits));
        answerJson(response, report);
      });
    },
  };
}

const lineEndsNotice = {
  code: 'message.line-ends-normalised',
  explanation: 'The input had bare LF line ends throughout; what is signed is the message with CRLF.',
};

/** What the client wants to have back. Throws a {@link Problem} when it wants something else. */
function wantedType(request: Request): 'application/json' | 'message/rfc822' {
  const { accept } = request.headers;
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return 'application/json';
  const wanted = request.accepts(['application/json', 'message/rfc822']);
  if (wanted === 'application/json' || wanted === 'message/rfc822') return wanted;
  throw new Problem(406, {
    code: 'http.not-acceptable',
    detail: 'The answer is application/json or message/rfc822.',
  });
}

/** Refusals that are not about the message as such. */
const refusalStatus: Readonly<Record<string, number>> = {
  'signing.not-permitted': 403,
  'signing.unknown-domain': 404,
  'signing.no-active-key': 409,
};

function refusal({ code, explanation, advice, evidence }: SigningResult): Problem {
  const status = evidence.limit === 'maxMessageBytes' ? 413 : (refusalStatus[code] ?? 422);
  return new Problem(status, { code, detail: explanation, advice, extra: { evidence } });
}
