import { authenticationContextSchema } from '@zegel/authentication';
import type { AuthenticationContext } from '@zegel/authentication';
import type { Request } from 'express';
import { Problem } from './problem.ts';

/** A query parameter that may stand once. */
export function queryText(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new Problem(400, { code: 'http.parameter', detail: `The query parameter ${name} may stand once.` });
}

/** Session and envelope: `ip`, `helo` and `mailFrom` from the query, or else from the X-Zegel-* fields. */
export function readContext(request: Request, lineEndsNormalized: boolean): AuthenticationContext {
  const ip = queryText(request, 'ip') ?? request.get('x-zegel-ip');
  const helo = queryText(request, 'helo') ?? request.get('x-zegel-helo');
  const mailFrom = queryText(request, 'mailFrom') ?? request.get('x-zegel-mail-from');
  const parsed = authenticationContextSchema.safeParse({
    session: { ip, helo },
    envelope: { mailFrom: mailFrom === undefined ? undefined : withoutBrackets(mailFrom) },
    lineEndsNormalized,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Problem(400, {
    code: 'http.parameter',
    detail: `${String(issue?.path.at(-1) ?? 'A parameter')} cannot be used: ${issue?.message ?? 'invalid'}.`,
  });
}

/** `<a@b>` as it stands in SMTP, without the angle brackets. */
function withoutBrackets(path: string): string {
  return path.startsWith('<') && path.endsWith('>') ? path.slice(1, -1) : path;
}
