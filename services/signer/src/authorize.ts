import { tokenAllows } from '@zegel/keystore';
import type { Keystore, Token, TokenScope } from '@zegel/keystore';
import { normalizeDomain } from '@zegel/message';
import type { Request } from 'express';
import { Problem } from './problem.ts';

/** In which ways a token may be given: RFC 6750 §2.1; as the password of RFC 7617, under any name; in rspamd's own field. */
export type CredentialForm = 'bearer' | 'basic' | 'password';

const realm = 'Bearer realm="zegel"';
const basicRealm = 'Basic realm="zegel"';

/**
 * The token a request comes with, in one of the forms that the operation takes. Throws a 401 {@link Problem} that does
 * not tell why a token is not accepted, and a 403 one when it is accepted and does not allow what is asked for.
 */
export async function authorize(
  request: Request,
  keystore: Keystore,
  scope: TokenScope | null,
  forms: readonly CredentialForm[] = ['bearer'],
): Promise<Token> {
  const secret = secretOf(request, forms);
  const challenge = forms.includes('basic') ? `${realm}, ${basicRealm}` : realm;
  if (secret === undefined) {
    throw new Problem(401, {
      code: 'http.unauthorized',
      detail: 'This needs a bearer token.',
      advice: 'Send the field Authorization: Bearer, a space, and the token.',
      challenge,
    });
  }
  const verification = await keystore.tokens.verify(secret);
  if (!verification.ok) {
    throw new Problem(401, {
      code: 'http.unauthorized',
      detail: 'The bearer token is not accepted.',
      challenge: `${realm}, error="invalid_token"`,
    });
  }
  const { token } = verification;
  if (scope !== null && !tokenAllows(token, scope)) {
    throw new Problem(403, {
      code: 'http.forbidden',
      detail: `The token does not have the scope ${scope}.`,
      challenge: `${realm}, error="insufficient_scope", scope="${scope}"`,
    });
  }
  return token;
}

function secretOf(request: Request, forms: readonly CredentialForm[]): string | undefined {
  const authorization = request.get('authorization') ?? '';
  const bearer = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1];
  if (basic !== undefined && forms.includes('basic')) {
    return /^[^:]*:(.+)$/s.exec(Buffer.from(basic, 'base64').toString('latin1'))?.[1];
  }
  return forms.includes('password') ? request.get('password') : undefined;
}

/** Throws a 403 {@link Problem} when the token is not for this domain, in whichever form it is written. */
export function requireTokenDomain(token: Token, scope: TokenScope, domain: string): void {
  if (tokenAllows(token, scope, normalizeDomain(domain) ?? domain)) return;
  throw new Problem(403, { code: 'http.forbidden', detail: `The token is not for the domain ${domain}.` });
}

/** Throws a 403 {@link Problem} when the token is for some domains: it could make itself one for all. */
export function requireAllDomains(token: Token): void {
  if (token.domains === null) return;
  throw new Problem(403, { code: 'http.forbidden', detail: 'The token is for some domains, and this is about all.' });
}
