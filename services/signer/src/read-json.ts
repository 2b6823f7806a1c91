import type { Request } from 'express';
import type { z } from 'zod';
import { Problem } from './problem.ts';

/** The JSON body of a request, as the schema wants it. Throws a {@link Problem} that says where it does not fit. */
export function readJson<T>(request: Request, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(request.body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'The body' : issue.path.join('.');
  throw new Problem(422, { code: 'http.body', detail: `${place}: ${issue?.message ?? 'not as it should be'}.` });
}

/** A parameter of the path. */
export function pathText(request: Request, name: string): string {
  const value = request.params[name];
  if (typeof value === 'string') return value;
  throw new TypeError(`The route has no parameter ${name}`);
}
