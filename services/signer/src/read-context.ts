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
export function readContext(request: Request): AuthenticationContext {
  const ip = queryText(request, 'ip') ?? request.get('x-zegel-ip');
  const helo = queryText(request, 'helo') ?? fieldText(request, 'x-zegel-helo');
  const mailFrom = queryText(request, 'mailFrom') ?? fieldText(request, 'x-zegel-mail-from');
  const parsed = authenticationContextSchema.safeParse({
    session: { ip, helo },
    envelope: { mailFrom: mailFrom === undefined ? undefined : withoutBrackets(mailFrom) },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Problem(400, {
    code: 'http.parameter',
    detail: `${String(issue?.path.at(-1) ?? 'A parameter')} cannot be used: ${issue?.message ?? 'invalid'}.`,
  });
}

/** The value of a field in UTF-8 (RFC 6531 has such addresses), of which Node makes a character a byte. */
export function fieldText(request: Request, name: string): string | undefined {
  const value = request.get(name);
  return value === undefined ? undefined : Buffer.from(value, 'latin1').toString('utf8');
}

/** `<a@b>` as it stands in SMTP, without the angle brackets. */
function withoutBrackets(path: string): string {
  return path.startsWith('<') && path.endsWith('>') ? path.slice(1, -1) : path;
}
