import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpenApi } from './openapi.ts';
import { stalwartRequest } from './stalwart-client.ts';
import { call, hello, startTestSigner } from './test-signer.ts';
import type { Answer, Call, TestSigner } from './test-signer.ts';

let signer: TestSigner;
let openapi: OpenApi;
/** Operations that answered at least once, and as the document says. */
const described = new Set<string>();
const unknownId = '00000000-0000-4000-8000-000000000000';

beforeAll(async () => {
  signer = await startTestSigner();
  const { json } = await call(`${signer.url}/v1/openapi.json`, { token: signer.admin });
  openapi = new OpenApi(json);
});
afterAll(() => signer[Symbol.asyncDispose]());

/** Calls an operation (`GET /v1/domains/{domain}`) and holds the answer against the OpenAPI document. */
async function ask(operation: string, path: string, options: Call & { json?: unknown } = {}): Promise<Answer> {
  const { json, ...rest } = options;
  const answer = await call(`${signer.url}${path}`, {
    token: signer.admin,
    method: operation.split(' ')[0]!,
    ...(json === undefined ? {} : { body: JSON.stringify(json), type: 'application/json' }),
    ...rest,
  });
  openapi.check(operation, answer);
  described.add(operation);
  return answer;
}

describe('domains', () => {
  test('are created, listed in pages, found in any form, and deleted', async () => {
    const created = await ask('POST /v1/domains', '/v1/domains', { json: { name: 'Bücher.Test' } });
    expect(created.status).toBe(201);
    expect(created.json.name).toBe('xn--bcher-kva.test');
    expect(created.headers.get('location')).toBe('/v1/domains/xn--bcher-kva.test');
    for (const name of ['a.test', 'b.test']) await ask('POST /v1/domains', '/v1/domains', { json: { name } });

    const first = await ask('GET /v1/domains', '/v1/domains?limit=2');
    expect(first.json.items.map(({ name }: { name: string }) => name)).toEqual(['a.test', 'b.test']);
    const second = await ask('GET /v1/domains', `/v1/domains?limit=2&after=${first.json.next}`);
    expect(second.json).toMatchObject({ items: [{ name: 'xn--bcher-kva.test' }], next: null });

    expect((await ask('GET /v1/domains/{domain}', '/v1/domains/B%C3%9CCHER.test')).status).toBe(200);
    expect((await ask('DELETE /v1/domains/{domain}', '/v1/domains/xn--bcher-kva.test')).status).toBe(204);
    const gone = await ask('GET /v1/domains/{domain}', '/v1/domains/xn--bcher-kva.test');
    expect([gone.status, gone.json.code]).toEqual([404, 'keystore.domain-unknown']);
  });

  test.each([
    [{ name: 'a.test' }, 409, 'keystore.domain-exists'],
    [{ name: 'not a domain' }, 422, 'keystore.domain-invalid'],
    [{ name: 1 }, 422, 'http.body'],
    [{ name: 'c.test', more: true }, 422, 'http.body'],
    [{}, 422, 'http.body'],
    [[], 422, 'http.body'],
  ])('%j is refused: %i %s', async (json, status, code) => {
    const answer = await ask('POST /v1/domains', '/v1/domains', { json });
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test.each(['?limit=0', '?limit=1001', '?limit=ten', '?limit=', '?after=nonsense', '?limit=1&limit=2'])(
    'a page %s is refused',
    async (query) => {
      expect((await ask('GET /v1/domains', `/v1/domains${query}`)).status).toBe(400);
      const inbound = `/v1/inbound${query}&state=parked`;
      expect((await ask('GET /v1/inbound', inbound)).json.code).toMatch(/^(?:keystore\.page-invalid|http\.parameter)$/);
    },
  );
});

describe('keys', () => {
  const keys = '/v1/domains/keys.test/keys';
  const create = (json: object) => ask('POST /v1/domains/{domain}/keys', keys, { json });
  const change = (id: string, state: string) =>
    ask('PATCH /v1/domains/{domain}/keys/{id}', `${keys}/${id}`, { json: { state } });
  beforeAll(async () => void (await signer.keystore.domains.create('keys.test')));

  test('live from pending to deleted; activating one retires the other', async () => {
    const first = await create({ selector: 'one' });
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({ domain: 'keys.test', selector: 'one', algorithm: 'rsa-sha256', bits: 2048 });
    expect(first.json.record).toMatchObject({ name: 'one._domainkey.keys.test' });
    const illegal = await change(first.json.id, 'active');
    expect([illegal.status, illegal.json.code]).toEqual([409, 'keystore.state-change-illegal']);
    await change(first.json.id, 'published');
    expect((await change(first.json.id, 'active')).json).toMatchObject({ key: { state: 'active' }, replaced: null });

    const inUse = await ask('DELETE /v1/domains/{domain}', '/v1/domains/keys.test');
    expect([inUse.status, inUse.json.code]).toEqual([409, 'keystore.domain-in-use']);

    const second = await create({ selector: 'two', modulusLength: 3072 });
    await change(second.json.id, 'published');
    const activated = await change(second.json.id, 'active');
    expect(activated.json.replaced).toMatchObject({ id: first.json.id, state: 'retiring' });
    await change(first.json.id, 'revoked');
    expect((await change(first.json.id, 'deleted')).json.key).toMatchObject({ state: 'deleted', record: null });
    const list = await ask('GET /v1/domains/{domain}/keys', keys);
    expect(list.json.items.map(({ state }: { state: string }) => state)).toEqual(['deleted', 'active']);
  });

  test('are imported; the private half never comes back', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const { status, json, bytes } = await create({ selector: 'imported', privateKey: pem });
    expect([status, json.algorithm]).toEqual([201, 'ed25519-sha256']);
    const secret = pem.split('\n')[1]!;
    expect(bytes.toString()).not.toContain(secret);
    expect((await ask('GET /v1/domains/{domain}/keys', keys)).bytes.toString()).not.toContain(secret);
    expect(signer.log()).not.toContain(secret);
  });

  const shortRsa = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey;
  const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  test.each([
    [{ selector: 'TWO' }, 409, 'keystore.selector-in-use'],
    [{ selector: 'no selector' }, 422, 'keystore.selector-invalid'],
    [{ selector: 'x', modulusLength: 1024 }, 422, 'keystore.key-size-unsupported'],
    [{ selector: 'x', algorithm: 'rsa-sha1' }, 422, 'http.body'],
    [{ selector: 'x', privateKey: 'not a key' }, 422, 'keystore.key-unreadable'],
    [{ selector: 'x', privateKey: ed25519, algorithm: 'rsa-sha256' }, 422, 'keystore.algorithm-mismatch'],
    [{ selector: 'x', privateKey: shortRsa.export({ format: 'pem', type: 'pkcs8' }) }, 422, 'dkim.key-too-short'],
    [{ selector: 'x', privateKey: curve.export({ format: 'pem', type: 'pkcs8' }) }, 422, 'dkim.key-type-unsupported'],
  ])('%# is refused', async (json, status, code) => {
    const answer = await create(json);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test('of another domain, or of none, are not found', async () => {
    await signer.keystore.domains.create('other.test');
    const { id } = await signer.keystore.keys.create('other.test', { selector: 's', algorithm: 'ed25519-sha256' });
    for (const unknown of [id, unknownId, 'nonsense']) {
      const answer = await change(unknown, 'published');
      expect([answer.status, answer.json.code]).toEqual([404, 'keystore.key-unknown']);
    }
    const noDomain = await ask('POST /v1/domains/{domain}/keys', '/v1/domains/none.test/keys', {
      json: { selector: 's' },
    });
    expect([noDomain.status, noDomain.json.code]).toEqual([404, 'keystore.domain-unknown']);
  });
});

describe('tokens', () => {
  test('are made, used, listed without their secret, and revoked', async () => {
    const made = await ask('POST /v1/tokens', '/v1/tokens', {
      json: { name: 'a relay', scopes: ['keys:read'], domains: ['A.test'], expiresAt: '2099-01-01T00:00:00Z' },
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ name: 'a relay', scopes: ['keys:read'], domains: ['a.test'], revokedAt: null });
    const { id, secret } = made.json;
    expect((await ask('GET /v1/domains', '/v1/domains', { token: secret })).status).toBe(200);
    const list = await ask('GET /v1/tokens', '/v1/tokens');
    expect(list.json.items).toContainEqual(expect.objectContaining({ id }));
    expect(list.bytes.toString()).not.toContain(secret);
    const revoked = await ask('DELETE /v1/tokens/{id}', `/v1/tokens/${id}`);
    expect(revoked.json.revokedAt).toBeTypeOf('string');
    expect((await ask('GET /v1/domains', '/v1/domains', { token: secret })).status).toBe(401);
    expect(signer.log()).not.toContain(secret);
  });

  test.each([
    ['2030-01-01T00:00:00+02:00', '2029-12-31T22:00:00.000Z'],
    ['2030-01-01T00:00:00.5-00:30', '2030-01-01T00:30:00.500Z'],
  ])('expire at %s, kept in UTC (RFC 3339 §5.6)', async (expiresAt, kept) => {
    const made = await ask('POST /v1/tokens', '/v1/tokens', { json: { name: 'x', scopes: ['sign'], expiresAt } });
    expect([made.status, made.json.expiresAt]).toEqual([201, kept]);
  });

  test.each([
    [{ name: 'x', scopes: [] }, 'keystore.token-invalid'],
    [{ name: '', scopes: ['sign'] }, 'keystore.token-invalid'],
    [{ name: 'x', scopes: ['sign'], domains: [] }, 'keystore.token-invalid'],
    [{ name: 'x', scopes: ['sign'], domains: ['no domain'] }, 'keystore.domain-invalid'],
    [{ name: 'x', scopes: ['sign'], expiresAt: '2020-01-01T00:00:00Z' }, 'keystore.token-invalid'],
    [{ name: 'x', scopes: ['sign'], expiresAt: '9999-12-31T23:59:59-01:00' }, 'keystore.token-invalid'],
    [{ name: 'x', scopes: ['root'] }, 'http.body'],
    [{ name: 'x', scopes: ['sign'], expiresAt: 'tomorrow' }, 'http.body'],
  ])('%j is refused', async (json, code) => {
    const answer = await ask('POST /v1/tokens', '/v1/tokens', { json });
    expect([answer.status, answer.json.code]).toEqual([422, code]);
  });

  test('that nobody knows cannot be revoked', async () => {
    expect((await ask('DELETE /v1/tokens/{id}', `/v1/tokens/${unknownId}`)).status).toBe(404);
  });
});

describe('logins', () => {
  test('are set, listed, and taken out of the map again', async () => {
    const path = `/v1/logins/${encodeURIComponent('Ann/x@example.org')}`;
    const authors = ['ann@example.org', 'example.net'];
    const set = await ask('PUT /v1/logins/{login}', path, { json: { authors } });
    expect([set.status, set.json]).toEqual([200, expect.objectContaining({ login: 'ann/x@example.org', authors })]);
    expect((await ask('GET /v1/logins', '/v1/logins')).json).toMatchObject({ items: [{ authors }], next: null });
    expect((await ask('DELETE /v1/logins/{login}', path)).status).toBe(204);
    expect((await ask('DELETE /v1/logins/{login}', path)).json.code).toBe('keystore.login-unknown');
    expect(signer.log()).not.toContain('ann');
  });

  test('sign as addresses, domains or everybody, and as nothing else', async () => {
    const answer = await ask('PUT /v1/logins/{login}', '/v1/logins/ann', { json: { authors: ['not a domain'] } });
    expect([answer.status, answer.json.code]).toEqual([422, 'keystore.login-invalid']);
  });
});

describe('who may do what', () => {
  test.each([
    ['no token', undefined, 'Bearer realm="zegel"'],
    ['another scheme', 'Basic YTpi', 'Bearer realm="zegel"'],
    ['an invented token', 'Bearer zgl_invented', 'Bearer realm="zegel", error="invalid_token"'],
  ])('%s is 401 on every route but health and readiness', async (_what, authorization, challenge) => {
    for (const operation of openapi.operations()) {
      const [method = '', path = ''] = operation.split(' ');
      if (path === '/healthz' || path === '/readyz') continue;
      const response = await fetch(`${signer.url}${path.replaceAll(/\{\w+\}/g, unknownId)}`, {
        method,
        ...(authorization === undefined ? {} : { headers: { Authorization: authorization } }),
      });
      const body = (await response.json()) as { code?: string; error?: string };
      const code = body.code ?? body.error?.split(':', 1)[0];
      expect([operation, response.status, code]).toEqual([operation, 401, 'http.unauthorized']);
      const given = response.headers.get('www-authenticate') ?? '';
      // The hooks of mail servers take Basic as well.
      const isHook = openapi.operation(operation).security?.length > 1;
      const allowed = isHook
        ? ['Bearer realm="zegel", Basic realm="zegel"', 'Bearer realm="zegel", error="invalid_token"']
        : [challenge];
      expect(allowed).toContain(given);
    }
  });

  test('a token without the scope is 403, and the scope is named', async () => {
    for (const operation of openapi.operations()) {
      const { description = '' } = openapi.operation(operation);
      const scope = /Needs the scope (\S+)\./.exec(description)?.[1];
      if (scope === undefined) continue;
      const others = (['sign', 'verify', 'inbound', 'keys:read', 'keys:write'] as const).filter(
        (name) => name !== scope,
      );
      const [method = '', path = ''] = operation.split(' ');
      const answer = await call(`${signer.url}${path.replaceAll(/\{\w+\}/g, unknownId)}`, {
        method,
        token: await signer.token(others),
      });
      const code = answer.json.code ?? answer.json.error.split(':', 1)[0];
      expect([operation, answer.status, code]).toEqual([operation, 403, 'http.forbidden']);
      expect(answer.headers.get('www-authenticate')).toContain(`error="insufficient_scope", scope="${scope}"`);
    }
  });

  test('a token for some domains sees and changes these alone', async () => {
    await signer.keystore.domains.create('mine.test');
    await signer.keystore.domains.create('theirs.test');
    const token = await signer.token(['keys:read', 'keys:write'], ['mine.test', 'new.test']);
    const list = await ask('GET /v1/domains', '/v1/domains', { token });
    expect(list.json.items.map(({ name }: { name: string }) => name)).toEqual(['mine.test']);
    expect((await ask('GET /v1/domains/{domain}', '/v1/domains/MINE.test', { token })).status).toBe(200);
    expect((await ask('POST /v1/domains', '/v1/domains', { token, json: { name: 'New.Test' } })).status).toBe(201);
    const json = { selector: 's', algorithm: 'ed25519-sha256' };
    const keys = 'POST /v1/domains/{domain}/keys';
    expect((await ask(keys, '/v1/domains/mine.test/keys', { token, json })).status).toBe(201);
    // Whether a domain exists is not told to who may not see it.
    for (const name of ['theirs.test', 'nobody.test', 'sub.mine.test']) {
      expect((await ask('GET /v1/domains/{domain}', `/v1/domains/${name}`, { token })).status).toBe(403);
      expect((await ask('POST /v1/domains', '/v1/domains', { token, json: { name } })).status).toBe(403);
      expect((await ask(keys, `/v1/domains/${name}/keys`, { token, json })).status).toBe(403);
    }
  });

  test('an admin token for some domains cannot make itself one for all', async () => {
    const token = await signer.token(['admin'], ['mine.test']);
    const json = { name: 'for all', scopes: ['admin'] };
    expect((await ask('POST /v1/tokens', '/v1/tokens', { token, json })).status).toBe(403);
    expect((await ask('GET /v1/tokens', '/v1/tokens', { token })).status).toBe(403);
    expect((await ask('DELETE /v1/tokens/{id}', `/v1/tokens/${unknownId}`, { token })).status).toBe(403);
  });
});

describe('HTTP', () => {
  test('health and readiness need no token', async () => {
    const options = { headers: {} };
    expect((await call(`${signer.url}/healthz`, options)).json).toEqual({ status: 'alive' });
    openapi.check('GET /healthz', await call(`${signer.url}/healthz`, options));
    const ready = await call(`${signer.url}/readyz`, options);
    openapi.check('GET /readyz', ready);
    expect(ready.json).toEqual({
      ready: true,
      phase: 'started',
      checks: [
        { name: 'database', required: true, ok: true },
        { name: 'inbound queue', required: false, ok: true },
      ],
    });
    described.add('GET /healthz').add('GET /readyz');
  });

  test('HEAD answers as GET does, without the body', async () => {
    for (const path of ['/healthz', '/v1/domains', '/v1/openapi.json']) {
      const answer = await call(`${signer.url}${path}`, { method: 'HEAD', token: signer.admin });
      expect([path, answer.status, answer.bytes.length]).toEqual([path, 200, 0]);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  test.each([
    ['GET', '/v1/sign', 'POST'],
    ['PUT', '/v1/domains', 'POST, GET, HEAD'],
    ['OPTIONS', '/v1/verify', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PUT', '/v1/inbound/x', 'GET, DELETE, HEAD'],
  ])('%s %s is 405, and Allow says %s', async (method, path, allow) => {
    const { status, headers, json } = await call(`${signer.url}${path}`, { method });
    expect([status, headers.get('allow'), json.code]).toEqual([405, allow, 'http.method']);
  });

  test.each(['/', '/v1', '/v1/nothing', '/v1/domains/a/b/c', '//v1/sign'])('%s is 404', async (path) => {
    const { status, json } = await call(`${signer.url}${path}`);
    expect([status, json.code]).toEqual([404, 'http.not-found']);
  });

  test('a path that cannot be decoded is 400', async () => {
    const { status, json } = await call(`${signer.url}/v1/domains/%E0%A4%A`, { token: signer.admin });
    expect([status, json.code]).toEqual([400, 'http.bad-request']);
  });

  test('a problem is as RFC 9457 §3 says', async () => {
    const { status, headers, json } = await call(`${signer.url}/v1/sign`);
    expect(status).toBe(405);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json).toEqual({
      type: 'urn:zegel:problem:http.method',
      title: 'Method Not Allowed',
      status: 405,
      code: 'http.method',
      detail: 'The methods of this resource are POST.',
    });
  });

  test('the X-Request-Id of the client is taken over when it is one, and else a new one is made', async () => {
    const given = await call(`${signer.url}/healthz`, { headers: { 'X-Request-Id': 'relay-7.42' } });
    expect(given.headers.get('x-request-id')).toBe('relay-7.42');
    const { headers } = await call(`${signer.url}/v1/none`, { headers: { 'X-Request-Id': 'a b"c' } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(signer.log()).toContain('"requestId":"relay-7.42"');
  });

  test('every answer has the fields of a JSON API and none that are about web pages', async () => {
    for (const path of ['/healthz', '/v1/none', '/v1/domains']) {
      const { headers } = await call(`${signer.url}${path}`, { token: signer.admin });
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      for (const field of ['strict-transport-security', 'x-powered-by', 'etag', 'x-xss-protection']) {
        expect(headers.get(field)).toBeNull();
      }
    }
  });

  test.each([
    ['not JSON', 'name=a.test', 'application/json', 400, 'http.body'],
    ['JSON that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'application/json', 400, 'http.body'],
    ['nothing', '', 'application/json', 400, 'http.body'],
    ['a form', 'name=a.test', 'application/x-www-form-urlencoded', 415, 'http.media-type'],
    ['a message', hello, 'message/rfc822', 415, 'http.media-type'],
    ['a megabyte', `"${'x'.repeat(1_000_000)}"`, 'application/json', 413, 'http.body-too-large'],
  ])('where JSON is wanted, %s is refused', async (_what, body, type, status, code) => {
    const answer = await call(`${signer.url}/v1/domains`, { token: signer.admin, body, type });
    openapi.check('POST /v1/domains', answer);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test('compressed JSON is refused', async () => {
    const { status, json } = await call(`${signer.url}/v1/domains`, {
      token: signer.admin,
      body: '{"name":"z.test"}',
      type: 'application/json',
      headers: { 'Content-Encoding': 'gzip' },
    });
    expect([status, json.code]).toEqual([415, 'http.content-encoding']);
  });
});

describe('the OpenAPI document', () => {
  test('describes real answers of messages too', async () => {
    await signer.addDomain('example.test', ['ed25519-sha256']);
    for (const headers of [{}, { Accept: 'message/rfc822' }]) {
      const signed = await ask('POST /v1/sign', '/v1/sign', { body: hello, headers });
      const query = '?ip=192.0.2.1&helo=h.test&mailFrom=a@example.test';
      const body = signed.json === undefined ? signed.bytes : hello;
      await ask('POST /v1/verify', `/v1/verify${query}`, { body, headers });
    }
    await ask('POST /v1/sign', '/v1/sign', { body: 'Subject: no From\r\n\r\n' });
    await ask('POST /v1/sign', '/v1/sign', { body: 'From: a@unknown.test\r\n\r\n' });
    const { json } = await ask('POST /v1/inbound', '/v1/inbound', { body: hello });
    const list = await ask('GET /v1/inbound', '/v1/inbound?state=queued');
    expect(list.json).toMatchObject({ items: [{ id: json.id, state: 'queued', error: null }], next: null });
    await ask('GET /v1/inbound/{id}', `/v1/inbound/${json.id}`);
    await ask('GET /v1/inbound/{id}', `/v1/inbound/${unknownId}`);
    expect((await ask('DELETE /v1/inbound/{id}', `/v1/inbound/${json.id}`)).json.code).toBe('inbound.in-work');
    await ask('GET /v1/inbound/{id}/message', `/v1/inbound/${json.id}/message`);
    await ask('POST /v1/inbound/{id}/retry', `/v1/inbound/${json.id}/retry`, { method: 'POST' });
    expect((await ask('GET /v1/openapi.json', '/v1/openapi.json')).status).toBe(200);
  });

  test('describes real answers of the hooks of mail servers', async () => {
    const stalwart = (body: object) => ask('POST /v1/hooks/stalwart', '/v1/hooks/stalwart', { json: body });
    const { message: _message, ...early } = stalwartRequest(hello);
    for (const login of [undefined, 'alice@example.test', 'eve@example.test']) {
      await stalwart(stalwartRequest(hello, login === undefined ? {} : { login }));
      const headers: Record<string, string> = login === undefined ? {} : { User: login };
      await ask('POST /checkv2', '/checkv2', { body: hello, headers });
    }
    expect((await stalwart(early)).json.zegel.code).toBe('hook.nothing-to-do');
    expect((await stalwart({})).status).toBe(422);
    expect((await ask('POST /checkv2', '/checkv2', { body: hello, headers: { IP: 'x' } })).status).toBe(400);
  });

  test('and has no operation that this file did not see answered', () => {
    expect(openapi.operations().filter((operation) => !described.has(operation))).toEqual([]);
  });

  test('is OpenAPI 3.1, each operation with an id of its own and its path parameters declared', () => {
    const { document } = openapi;
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Zegel', version: '1.2.3' } });
    const ids = openapi.operations().map((name) => openapi.operation(name).operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const name of openapi.operations()) {
      const declared = (openapi.operation(name).parameters ?? [])
        .filter((parameter: { in: string }) => parameter.in === 'path')
        .map((parameter: { name: string; required: boolean }) => [parameter.name, parameter.required]);
      expect(declared).toEqual([...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => [parameter, true]));
    }
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) openapi.resolve(reference!);
  });

  test('says what a request may hold', () => {
    const { schema } = openapi.operation('POST /v1/domains/{domain}/keys').requestBody.content['application/json'];
    const body = openapi.schema(schema);
    expect(body.safeParse({ selector: 's' }).success).toBe(true);
    expect(body.safeParse({ selector: 's', bits: 1 }).success).toBe(false);
  });
});
