import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { InboundRecord } from '@zegel/mail-queue';
import { answerJson, prepareMessage } from './answer.ts';
import type { ApiGround, Handler } from './handlers.ts';
import { retryAfter } from './limits.ts';
import { Problem } from './problem.ts';
import { readContext } from './read-context.ts';
import { pathText } from './read-json.ts';

/** The queue over REST: hand in, look, fetch. */
export function inboundHandlers({ queue, instruments, reader }: ApiGround): {
  readonly submitInbound: Handler;
  readonly getInbound: Handler;
  readonly getInboundMessage: Handler;
  readonly retryInbound: Handler;
} {
  const find = async (id: string): Promise<InboundRecord> => {
    const record = await queue.get(id);
    if (record === null) throw unknownMessage(id);
    return record;
  };

  return {
    submitInbound({ request, response }) {
      const context = readContext(request);
      return reader.with(request, response, async ({ raw, lineEndsNormalized }) => {
        const { id } = await queue.submit(raw, { ...context, lineEndsNormalized });
        instruments.countInbound({ state: 'queued' });
        answerJson(response, { id, state: 'queued' }, { status: 202, fields: ['Location', `/v1/inbound/${id}`] });
      });
    },

    async getInbound({ request, response }) {
      const { id, state, receivedAt, updatedAt, bytes, attempts, report, error } = await find(pathText(request, 'id'));
      answerJson(response, { id, state, receivedAt, updatedAt, bytes, attempts, report, error });
    },

    async getInboundMessage({ request, response }) {
      const { id, state } = await find(pathText(request, 'id'));
      if (state !== 'done') {
        throw new Problem(409, {
          code: 'inbound.not-done',
          detail: `The message is ${state}.`,
          ...(state === 'parked' ? {} : { retryAfter: retryAfter.notDone }),
        });
      }
      const result = await queue.openResult(id);
      if (result === null) throw unknownMessage(id);
      prepareMessage(response);
      await pipeline(Readable.from(result, { objectMode: false }), response);
    },

    async retryInbound({ request, response }) {
      const { id, state } = await find(pathText(request, 'id'));
      if (!(await queue.retry(id))) {
        throw new Problem(409, { code: 'inbound.not-parked', detail: `The message is ${state}, not parked.` });
      }
      answerJson(response, { id, state: 'queued' }, { status: 202 });
    },
  };
}

function unknownMessage(id: string): Problem {
  return new Problem(404, { code: 'inbound.unknown', detail: `There is no message ${id}.` });
}
