import type { Response } from 'express';
import { fixedFields } from './fixed-fields.ts';

/**
 * How every answer is written: its whole header in one list and its body at once. Express's own ways look up charset,
 * entity tag and freshness for each answer anew, and Node's `setHeader` keeps a table that is read once.
 */

/** Header fields, as name, value, name, value. */
export type Fields = readonly string[];

export interface AnswerOptions {
  /** Default: 200. */
  readonly status?: number;
  /** Header fields beside those that every answer has. */
  readonly fields?: Fields;
  /** The media type; default: JSON. */
  readonly type?: string;
}

/** Answers with a value as JSON. */
export function answerJson(response: Response, value: unknown, options: AnswerOptions = {}): void {
  const text = JSON.stringify(value);
  const { status = 200, fields = [], type = 'application/json; charset=utf-8' } = options;
  const length = Buffer.byteLength(text);
  response.writeHead(status, [...headOf(response, type), 'Content-Length', String(length), ...fields]);
  // A text of the same encoding as the header goes out in one piece with it. Latin-1 is the cheaper name for US-ASCII.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
}

/** Answers with a message. */
export function answerMessage(response: Response, message: Uint8Array): void {
  response.writeHead(200, [...headOf(response, 'message/rfc822'), 'Content-Length', String(message.length)]);
  response.end(message);
}

/** Answers 204. */
export function answerEmpty(response: Response): void {
  response.writeHead(204, [...commonFields(response)]);
  response.end();
}

/**
 * Makes ready for a message that is written by parts. Nothing is sent before the first, so that it may still become a
 * problem.
 */
export function prepareMessage(response: Response): void {
  const fields = headOf(response, 'message/rfc822');
  for (let at = 0; at < fields.length; at += 2) response.setHeader(fields[at] ?? '', fields[at + 1] ?? '');
}

function headOf(response: Response, type: string): Fields {
  return [...commonFields(response), 'Content-Type', type];
}

function commonFields(response: Response): Fields {
  return ['X-Request-Id', String(response.locals['requestId']), ...fixedFields];
}
