import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pageOf, pageSize, readCursor, timeCursor, timePosition } from '@zegel/keystore';
import type { InboundRecord } from '@zegel/mail-queue';
import type { Request } from 'express';
import { answerEmpty, answerJson, prepareMessage } from './answer.ts';
import { inboundSchema } from './api.ts';
import type { ApiGround, Handler } from './handlers.ts';
import { retryAfter } from './limits.ts';
import { Problem } from './problem.ts';
import { queryText, readContext } from './read-context.ts';
import { pathText } from './read-json.ts';
import { pageRequest } from './read-page.ts';

/** The queue over REST: hand in, list, look, fetch, put back, delete. */
export function inboundHandlers({ queue, instruments, reader }: ApiGround): {
  readonly submitInbound: Handler;
  readonly listInbound: Handler;
  readonly getInbound: Handler;
  readonly deleteInbound: Handler;
  readonly getInboundMessage: Handler;
  readonly retryInbound: Handler;
} {
  const find = async (id: string): Promise<InboundRecord> => {
    const record = await queue.get(id);
    if (record === null) throw unknownMessage(id);
    return record;
  };

  return {
    submitInbound(call) {
      const { request, response } = call;
      const context = readContext(request);
      return reader.with(call, async ({ raw, lineEndsNormalized }) => {
        const { id } = await queue.submit(raw, { ...context, lineEndsNormalized });
        instruments.countInbound({ state: 'queued' });
        answerJson(response, { id, state: 'queued' }, { status: 202, fields: ['Location', `/v1/inbound/${id}`] });
      });
    },

    async listInbound({ request, response }) {
      const state = readState(request);
      const page = pageRequest(request);
      const size = pageSize(page);
      const [time, id] = readCursor(page.after, timeCursor) ?? [];
      const after = time === undefined || id === undefined ? null : { updatedAt: new Date(time), id };
      const messages = await queue.list(state, size + 1, after);
      answerJson(
        response,
        pageOf(messages, size, (message) => timePosition(message.updatedAt, message.id)),
      );
    },

    async getInbound({ request, response }) {
      const { id, state, receivedAt, updatedAt, bytes, attempts, report, error } = await find(pathText(request, 'id'));
      answerJson(response, { id, state, receivedAt, updatedAt, bytes, attempts, report, error });
    },

    async deleteInbound({ request, response }) {
      const { id, state } = await find(pathText(request, 'id'));
      if (!(await queue.delete(id))) {
        throw new Problem(409, {
          code: 'inbound.in-work',
          detail: `The message is ${state}, neither done nor parked.`,
          retryAfter: retryAfter.notDone,
        });
      }
      answerEmpty(response);
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

function readState(request: Request): InboundRecord['state'] {
  const state = inboundSchema.shape.state.safeParse(queryText(request, 'state'));
  if (state.success) return state.data;
  const detail = `The query parameter state must be one of ${inboundSchema.shape.state.options.join(', ')}.`;
  throw new Problem(400, { code: 'http.parameter', detail });
}

function unknownMessage(id: string): Problem {
  return new Problem(404, { code: 'inbound.unknown', detail: `There is no message ${id}.` });
}
