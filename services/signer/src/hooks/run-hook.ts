import { isIP } from 'node:net';
import { tokenAllows } from '@zegel/keystore';
import type { Token } from '@zegel/keystore';
import { runMessage } from '@zegel/mail-flow';
import type { WholeMessage, WholeOutcome } from '@zegel/mail-flow';
import type { ListenerMode } from '@zegel/mail-policy';
import { asBuffer } from '@zegel/message';
import type { Logger } from '@zegel/service-runtime';
import type { Request, Response } from 'express';
import type { ApiGround } from '../handlers.ts';
import { Problem } from '../problem.ts';
import { queryText } from '../read-context.ts';

/** A message that a mail server handed over, with what its dialect knows of the session. */
export interface HookedMessage extends Omit<WholeMessage, 'rules' | 'session' | 'authorsWithin'> {
  readonly session: Omit<WholeMessage['session'], 'listenerMode'>;
}

/** What the door itself has to say beside the verdict: what its dialect could not carry. */
export interface HookNotice {
  readonly code: string;
  readonly explanation: string;
}

/** The member `zegel` of an answer: what the dialect has no word for. Its clients pass over it. */
export interface HookRemark {
  readonly direction: WholeOutcome['direction']['direction'];
  readonly outcome: WholeOutcome['outcome'];
  readonly code: string;
  readonly explanation: string;
  readonly notices: readonly HookNotice[];
}

export interface HookCall {
  readonly request: Request;
  readonly response: Response;
  readonly token: Token;
  readonly mode: ListenerMode;
}

/** Runs messages of one dialect by the rules of the service. */
export type RunHook = (call: HookCall, message: HookedMessage) => Promise<WholeOutcome>;

/**
 * Runs a message: the token must allow what its direction asks for, and signs for no author outside its domains. One line is
 * logged about each.
 */
export function hookRunner({ rules, instruments }: ApiGround, logger: Logger, door: string): RunHook {
  return async ({ response, token, mode }, { session, ...message }) => {
    const began = performance.now();
    const outcome = await runMessage(
      {
        ...message,
        session: { ...session, listenerMode: mode },
        rules: rules(),
        ...(token.domains === null ? {} : { authorsWithin: token.domains }),
      },
      instruments,
      (direction) => {
        if (direction === 'inbound' || tokenAllows(token, 'sign')) return;
        throw new Problem(403, {
          code: 'http.forbidden',
          detail: 'The message goes out, and the token does not have the scope sign.',
        });
      },
    );
    logger.info(
      {
        requestId: response.locals['requestId'],
        door,
        direction: outcome.direction.direction,
        flow: outcome.direction.code,
        outcome: outcome.outcome,
        ms: Math.round(performance.now() - began),
        ...(message.mayBeDamaged === true ? { notice: 'message.bytes-not-exact' } : {}),
        ...outcome.told,
      },
      'message',
    );
    return outcome;
  };
}

/** Which mail a call brings, as the milter's listeners have it: `sign`, `verify`, or `both`, which tells them apart. */
export function readMode(request: Request): ListenerMode {
  const mode = queryText(request, 'mode') ?? 'both';
  if (mode === 'both' || mode === 'sign' || mode === 'verify') return mode;
  throw new Problem(400, { code: 'http.parameter', detail: 'mode must be sign, verify or both.' });
}

/** The client's address; absent when the mail server names none. */
export function readAddress(text: string | undefined): { readonly ip?: string } {
  if (text === undefined || text === '') return {};
  if (isIP(text) === 0)
    throw new Problem(400, { code: 'http.parameter', detail: 'The client address is not one IPv4 or IPv6 address.' });
  return { ip: text };
}

/** The notices of the verdict, and those of the door. */
export function remarkOn(outcome: WholeOutcome, notices: readonly HookNotice[]): HookRemark {
  const { direction, code, explanation, report } = outcome;
  const told = (report?.notices ?? []).map((notice) => ({ code: notice.code, explanation: notice.explanation }));
  return {
    direction: direction.direction,
    outcome: outcome.outcome,
    code,
    explanation,
    notices: [...told, ...notices.filter((notice) => told.every(({ code: other }) => other !== notice.code))],
  };
}

/** A field to put on top, as name and value: without the space behind the colon and the last line end. */
export function namedField(field: Uint8Array): { readonly name: string; readonly value: string } {
  const text = asBuffer(field).toString('utf8');
  const colon = text.indexOf(':');
  return {
    name: text.slice(0, colon),
    value: text
      .slice(colon + 1)
      .replace(/^ /, '')
      .replace(/\r\n$/, ''),
  };
}
