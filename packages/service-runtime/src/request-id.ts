import { randomUUID } from 'node:crypto';

const ACCEPTABLE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * The id under which a request is logged and answered (`X-Request-Id`): the caller's own when it is 1 to 64 letters,
 * digits, dots, hyphens or underscores, so that logs of both sides can be joined; otherwise a fresh UUID. Anything else
 * from outside would be a way to write into our logs.
 */
export function requestId(given?: string): string {
  return given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID();
}
