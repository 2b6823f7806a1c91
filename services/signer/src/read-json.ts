import type { Request, Response } from 'express';
import type { z } from 'zod';
import { maxJsonBytes } from './limits.ts';
import { Problem } from './problem.ts';
import { mediaType, readBody } from './read-body.ts';

/** The JSON body of a request, as the schema wants it. Throws a {@link Problem} that says where it does not fit. */
export async function readJson<T>(request: Request, response: Response, schema: z.ZodType<T>): Promise<T> {
  requireJson(request);
  const bytes = await readBody(request, response, {
    limit: maxJsonBytes,
    tooLarge: () =>
      new Problem(413, {
        code: 'http.body-too-large',
        detail: `The body is above the limit of ${maxJsonBytes} bytes.`,
      }),
  });
  return parseJsonAs(bytes, schema);
}

/** Throws a {@link Problem} unless the body is said to be JSON. */
export function requireJson(request: Request): void {
  if (mediaType(request) === 'application/json') return;
  throw new Problem(415, {
    code: 'http.media-type',
    detail: 'The body must be JSON.',
    advice: 'Send it with Content-Type: application/json.',
  });
}

/** JSON as the schema wants it. Throws a {@link Problem} that says where it does not fit. */
export function parseJsonAs<T>(bytes: Buffer, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'The body' : issue.path.join('.');
  throw new Problem(422, { code: 'http.body', detail: `${place}: ${issue?.message ?? 'not as it should be'}.` });
}

/** RFC 8259 §8.1: UTF-8, nothing else. The parser's own words are left out: they repeat what was given. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, { code: 'http.body', detail: 'The body is not JSON in UTF-8.' });
  }
}

/** A parameter of the path. */
export function pathText(request: Request, name: string): string {
  const value = request.params[name];
  if (typeof value === 'string') return value;
  throw new TypeError(`The route has no parameter ${name}`);
}
