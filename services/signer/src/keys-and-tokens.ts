import type { Domain, Token } from '@zegel/keystore';
import type { Request } from 'express';
import { answerEmpty, answerJson } from './answer.ts';
import { keyStateSchema, loginAuthorsSchema, newDomainSchema, newKeySchema, newTokenSchema } from './api.ts';
import { requireAllDomains, requireTokenDomain } from './authorize.ts';
import type { ApiGround, Handler } from './handlers.ts';
import { Problem } from './problem.ts';
import { pathText, readJson } from './read-json.ts';
import { pageRequest } from './read-page.ts';

type Name =
  | 'createDomain'
  | 'listDomains'
  | 'getDomain'
  | 'deleteDomain'
  | 'createKey'
  | 'listKeys'
  | 'changeKey'
  | 'createToken'
  | 'listTokens'
  | 'revokeToken'
  | 'setLogin'
  | 'listLogins'
  | 'deleteLogin';

/** Domains, keys, tokens and logins over REST. A token that is for some domains sees and changes these alone. */
export function keyHandlers({ keystore }: ApiGround): Readonly<Record<Name, Handler>> {
  const { domains, keys, tokens, logins } = keystore;
  const findDomain = async (request: Request, token: Token, scope: 'keys:read' | 'keys:write'): Promise<Domain> => {
    const given = pathText(request, 'domain');
    const domain = await domains.get(given);
    // Whether a domain exists is nobody's business who may not see it.
    requireTokenDomain(token, scope, domain?.name ?? given);
    if (domain === null)
      throw new Problem(404, { code: 'keystore.domain-unknown', detail: `The domain ${given} is not known.` });
    return domain;
  };

  return {
    async createDomain({ request, response, token }) {
      const { name } = await readJson(request, response, newDomainSchema);
      requireTokenDomain(token, 'keys:write', name);
      const domain = await domains.create(name);
      answerJson(response, domain, { status: 201, fields: ['Location', `/v1/domains/${domain.name}`] });
    },
    async listDomains({ request, response, token }) {
      answerJson(
        response,
        await domains.list({ ...pageRequest(request), ...(token.domains === null ? {} : { among: token.domains }) }),
      );
    },
    async getDomain({ request, response, token }) {
      answerJson(response, await findDomain(request, token, 'keys:read'));
    },
    async deleteDomain({ request, response, token }) {
      const { name } = await findDomain(request, token, 'keys:write');
      await domains.delete(name);
      answerEmpty(response);
    },
    async createKey({ request, response, token }) {
      const { name: domain } = await findDomain(request, token, 'keys:write');
      const { selector, algorithm, modulusLength, privateKey } = await readJson(request, response, newKeySchema);
      const key =
        privateKey === undefined
          ? await keys.create(domain, {
              selector,
              algorithm: algorithm ?? 'rsa-sha256',
              ...(modulusLength === undefined ? {} : { modulusLength }),
            })
          : await keys.import(domain, {
              selector,
              pem: privateKey,
              ...(algorithm === undefined ? {} : { algorithm }),
            });
      answerJson(response, key, { status: 201 });
    },
    async listKeys({ request, response, token }) {
      const { name } = await findDomain(request, token, 'keys:read');
      answerJson(response, await keys.list(name, pageRequest(request)));
    },
    async changeKey({ request, response, token }) {
      const { name: domain } = await findDomain(request, token, 'keys:write');
      const id = pathText(request, 'id');
      const { state } = await readJson(request, response, keyStateSchema);
      const key = await keys.get(id);
      if (key?.domain !== domain) {
        throw new Problem(404, { code: 'keystore.key-unknown', detail: `${domain} has no key ${id}.` });
      }
      answerJson(response, await keys.changeState(id, state));
    },
    async createToken({ request, response, token: own }) {
      requireAllDomains(own);
      const { name, scopes, domains: forDomains, expiresAt } = await readJson(request, response, newTokenSchema);
      const { token, secret } = await tokens.create({
        name,
        scopes,
        domains: forDomains,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
      });
      answerJson(response, { ...token, secret }, { status: 201 });
    },
    async listTokens({ request, response, token }) {
      requireAllDomains(token);
      answerJson(response, await tokens.list(pageRequest(request)));
    },
    async revokeToken({ request, response, token }) {
      requireAllDomains(token);
      answerJson(response, await tokens.revoke(pathText(request, 'id')));
    },
    async setLogin({ request, response, token }) {
      requireAllDomains(token);
      const { authors } = await readJson(request, response, loginAuthorsSchema);
      answerJson(response, await logins.set(pathText(request, 'login'), authors));
    },
    async listLogins({ request, response, token }) {
      requireAllDomains(token);
      answerJson(response, await logins.list(pageRequest(request)));
    },
    async deleteLogin({ request, response, token }) {
      requireAllDomains(token);
      await logins.delete(pathText(request, 'login'));
      answerEmpty(response);
    },
  };
}
