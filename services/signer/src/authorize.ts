import { tokenAllows } from '@zegel/keystore';
import type { Keystore, Token, TokenScope } from '@zegel/keystore';
import type { Request } from 'express';
import { Problem } from './problem.ts';

/**
 * The token a request comes with (RFC 6750 §2.1). Throws a 401 {@link Problem} that does not tell why a token is
 * not accepted, and a 403 one when it is accepted and does not allow what is asked for.
 */
export async function authorize(request: Request, keystore: Keystore, scope: TokenScope | null): Promise<Token> {
  const secret = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(request.get('authorization') ?? '')?.[1];
  const verification = secret === undefined ? null : await keystore.tokens.verify(secret);
  if (verification === null || !verification.ok) {
    throw new Problem(401, {
      code: 'http.unauthorized',
      detail: secret === undefined ? 'This needs a bearer token.' : 'The bearer token is not accepted.',
    });
  }
  const { token } = verification;
  if (scope !== null && !tokenAllows(token, scope)) {
    throw new Problem(403, { code: 'http.forbidden', detail: `The token does not have the scope ${scope}.` });
  }
  return token;
}

/** Throws a 403 {@link Problem} when the token is not for this domain. */
export function requireTokenDomain(token: Token, scope: TokenScope, domain: string): void {
  if (tokenAllows(token, scope, domain)) return;
  throw new Problem(403, { code: 'http.forbidden', detail: `The token is not for the domain ${domain}.` });
}
