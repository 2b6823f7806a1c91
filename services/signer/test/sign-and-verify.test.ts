import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { verifyMessage } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import { temporaryFolder } from '@zegel/test-harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, hello, message, startTestSigner } from './test-signer.ts';
import type { TestSigner } from './test-signer.ts';

let signer: TestSigner;
const sign = (options: object) => call(`${signer.url}/v1/sign`, { token: signer.admin, ...options });
const verify = (options: object, query = '') =>
  call(`${signer.url}/v1/verify${query}`, { token: signer.admin, ...options });
const asMessage = { Accept: 'message/rfc822' };

beforeAll(async () => {
  signer = await startTestSigner();
  await signer.addDomain('example.test');
  await signer.addDomain('xn--bcher-kva.test', ['ed25519-sha256']);
  await signer.keystore.domains.create('idle.test');
  signer.zone['_dmarc.example.test'] = { TXT: ['v=DMARC1; p=reject'] };
  signer.zone['example.test'] = { TXT: ['v=spf1 ip4:192.0.2.1 -all'] };
});
afterAll(() => signer[Symbol.asyncDispose]());

describe('POST /v1/sign', () => {
  test('answers a signature for each active key, which passes on top of the message', async () => {
    const { status, json, headers } = await sign({ body: hello });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(json).toMatchObject({
      result: 'signed',
      code: 'signing.signed',
      signatures: [
        { domain: 'example.test', selector: 'rsa', algorithm: 'rsa-sha256' },
        { domain: 'example.test', selector: 'ed2', algorithm: 'ed25519-sha256' },
      ],
      notices: [],
    });
    const fields: string[] = json.signatures.map(({ field }: { field: string }) => field);
    for (const field of fields) expect(field).toMatch(/^DKIM-Signature: [^]*\r\n$/);
    const verdicts = await verifyMessage(Buffer.concat([Buffer.from(fields.join('')), hello]), {
      resolver: new ZoneResolver(signer.zone),
    });
    expect(verdicts.map(({ result, algorithm }) => [result, algorithm])).toEqual([
      ['pass', 'rsa-sha256'],
      ['pass', 'ed25519-sha256'],
    ]);
  });

  test('with Accept: message/rfc822 answers the signed message, its own bytes untouched', async () => {
    const { status, bytes, headers } = await sign({ body: hello, headers: asMessage });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('message/rfc822');
    expect(headers.get('content-length')).toBe(String(bytes.length));
    expect(bytes.subarray(-hello.length).equals(hello)).toBe(true);
    expect(bytes.toString('latin1').match(/^DKIM-Signature:/gm)).toHaveLength(2);
  });

  test('bytes above 127 and NUL are signed as they are', async () => {
    const raw = Buffer.concat([
      message('From: =?utf-8?q?B=C3=BCcher?= <a@bücher.test>', 'Subject: Grüße', ''),
      Buffer.from([0xff, 0, 0xfe, 0x0d, 0x0a]),
    ]);
    const signed = await sign({ body: raw, headers: asMessage, type: 'message/global' });
    expect(signed.status).toBe(200);
    expect(signed.bytes.subarray(-raw.length).equals(raw)).toBe(true);
    expect((await verify({ body: signed.bytes })).json.dkim).toMatchObject([{ result: 'pass', selector: 'ed2' }]);
  });

  test('LF-only input is signed as CRLF, and the answer says so', async () => {
    const unix = Buffer.from(hello.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    const { json } = await sign({ body: unix });
    expect(json.notices).toMatchObject([{ code: 'message.line-ends-normalised' }]);
    const signed = await sign({ body: unix, headers: asMessage });
    expect(signed.bytes.subarray(-hello.length).equals(hello)).toBe(true);
  });

  test('?domain= names the signing domain, above the author domain or the same', async () => {
    const below = message('From: a@sub.example.test', '', 'x');
    const { json } = await call(`${signer.url}/v1/sign?domain=EXAMPLE.test`, { token: signer.admin, body: below });
    expect(json.signatures).toMatchObject([{ domain: 'example.test' }, { domain: 'example.test' }]);
    const other = await call(`${signer.url}/v1/sign?domain=other.test`, { token: signer.admin, body: hello });
    expect([other.status, other.json.code]).toEqual([422, 'signing.domain-mismatch']);
    const twice = await call(`${signer.url}/v1/sign?domain=a.test&domain=b.test`, { token: signer.admin, body: hello });
    expect([twice.status, twice.json.code]).toEqual([400, 'http.parameter']);
  });

  const from = 'From: alice@example.test';
  test.each<[string, number, string, string | Buffer]>([
    ['an empty body', 422, 'message.no-header', ''],
    ['only a body', 422, 'message.no-header', '\r\nHello\r\n'],
    ['JSON under the name of a message', 422, 'message.no-from', '{"from":"alice@example.test","text":"Hello"}\r\n'],
    ['no From', 422, 'message.no-from', message('To: bob@example.org', '', 'x')],
    ['two From', 422, 'message.several-from', message(from, from, '', 'x')],
    ['an author that cannot be read', 422, 'message.from-unparsable', message('From: alice at example', '', 'x')],
    ['authors of several domains', 422, 'signing.several-author-domains', message(`${from}, b@other.test`, '', 'x')],
    ['mixed line ends', 422, 'message.bare-line-ends', Buffer.concat([hello, Buffer.from('one\ntwo\r\n')])],
    ['a bare CR', 422, 'message.bare-line-ends', Buffer.concat([hello, Buffer.from('one\rtwo\r\n')])],
    ['cut off in the middle of a header line', 422, 'message.cut-off', `${from}\r\nSubject: Hel`],
    [
      '5,000 header fields',
      422,
      'message.limit-exceeded',
      message(from, ...Array.from({ length: 5_000 }, (_, n) => `X-${n}: x`), ''),
    ],
    [
      'a header block of 2 MB',
      422,
      'message.limit-exceeded',
      message(from, ...Array.from({ length: 900 }, (_, n) => `X-${n}: ${'x'.repeat(2_400)}`), ''),
    ],
    ['one field of 2 MB', 422, 'message.limit-exceeded', message(from, `X-Long: ${'x'.repeat(2_000_000)}`, '')],
    ['a domain nobody knows', 404, 'signing.unknown-domain', message('From: a@unknown.test', '', 'x')],
    ['a domain without an active key', 409, 'signing.no-active-key', message('From: a@idle.test', '', 'x')],
  ])('%s: %i %s', async (_what, status, code, body) => {
    const answer = await sign({ body });
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json.detail.length).toBeGreaterThan(20);
  });

  test('headers only, without the empty line, are a message with an empty body', async () => {
    expect((await sign({ body: message('From: alice@example.test', 'Subject: x') })).status).toBe(200);
  });

  test('a NUL in the header is refused or signed, and never an error of ours', async () => {
    const { status } = await sign({ body: message('From: alice@example.test', 'Subject: a\0b', '', 'x') });
    expect([200, 422]).toContain(status);
  });

  test('a token signs for its domains alone', async () => {
    const token = await signer.token(['sign'], ['example.test']);
    expect((await sign({ body: hello, token })).status).toBe(200);
    const other = await sign({ body: message('From: a@xn--bcher-kva.test', '', 'x'), token });
    expect([other.status, other.json.code]).toEqual([403, 'signing.not-permitted']);
    const unknown = await sign({ body: message('From: a@unknown.test', '', 'x'), token });
    expect([unknown.status, unknown.json.code]).toEqual([403, 'signing.not-permitted']);
  });
});

/** Signs at a service that is configured like this, with two domains in its database. */
const signWith = async (env: Readonly<Record<string, string>>, raw: Buffer) => {
  await using configured = await startTestSigner({ env });
  await configured.addDomain('example.test', ['ed25519-sha256']);
  await configured.addDomain('service.test', ['ed25519-sha256']);
  return await call(`${configured.url}/v1/sign`, { token: configured.admin, body: raw });
};

describe('POST /v1/sign goes by the section signing', () => {
  test('canonicalization, expiry and fields', async () => {
    const env = {
      ZEGEL_SIGNING_CANONICALIZATION: 'simple/simple',
      ZEGEL_SIGNING_VALIDITY_SECONDS: '3600',
      ZEGEL_SIGNING_OVERSIGN: 'X-Foo',
    };
    const { json } = await signWith(env, hello);
    const field: string = json.signatures[0].field.replaceAll(/\s/g, '');
    expect(field).toContain('c=simple/simple;');
    expect(field).toMatch(/;h=[^;]*\bx-foo\b/);
    const [, time, expiry] = /;t=(\d+);x=(\d+);/.exec(field) ?? [];
    expect(Number(expiry) - Number(time)).toBe(3_600);
  });

  test('rules', async () => {
    const env = {
      ZEGEL_SIGNING_RULES: '[{ author: example.test, identity: author-domain }]',
      ZEGEL_SIGNING_ALSO_SIGN: '[{ domain: service.test }]',
    };
    const { json } = await signWith(env, hello);
    expect(json.signatures).toMatchObject([{ domain: 'example.test' }, { domain: 'service.test' }]);
    expect(json.signatures[0].field).toContain('i=@example.test;');
  });

  test('keys: where files are named, those of the database do not sign', async () => {
    using folder = temporaryFolder('keys');
    const file = path.join(folder.path, 'file.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const env = { ZEGEL_SIGNING_KEYS: `[{ domain: example.test, selector: file, file: ${file} }]` };
    expect((await signWith(env, hello)).json.signatures).toMatchObject([{ selector: 'file' }]);
  });

  test('what becomes of a message that is not signed is for others to say: here it is a problem', async () => {
    const twice = message('From: alice@example.test', 'Subject: one', 'Subject: two', '', 'x');
    const sent = await signWith({ ZEGEL_SIGNING_ON_REFUSAL_REFUSED_HEADER: 'send-unsigned' }, twice);
    expect([sent.status, sent.json.code]).toEqual([422, 'message.repeated-field']);
    const signed = await signWith({ ZEGEL_SIGNING_ON_REFUSAL_REFUSED_HEADER: 'sign-anyway' }, twice);
    expect(signed.status).toBe(200);
  });
});

describe('POST /v1/verify', () => {
  const query = '?ip=192.0.2.1&helo=mail.example.test&mailFrom=alice@example.test';

  test.each(['rsa-sha256', 'ed25519-sha256'])('a message signed here passes: %s', async (algorithm) => {
    const signed = await sign({ body: hello, headers: asMessage });
    const { status, json } = await verify({ body: signed.bytes }, query);
    expect(status).toBe(200);
    expect(json.dkim).toContainEqual(expect.objectContaining({ result: 'pass', algorithm }));
    expect(json.spf.mailFrom.result).toBe('pass');
    expect(json.dmarc.result).toBe('pass');
    expect(json.authenticationResults).toMatch(/^mx\.receiver\.test;/);
  });

  test('the X-Zegel-* fields say the same as the query, and the query goes first', async () => {
    const headers = {
      'X-Zegel-Ip': '192.0.2.1',
      'X-Zegel-Helo': 'h.test',
      'X-Zegel-Mail-From': '<alice@example.test>',
    };
    const { json } = await verify({ body: hello, headers });
    expect(json.spf.mailFrom).toMatchObject({
      result: 'pass',
      evidence: { ip: '192.0.2.1', helo: 'h.test', sender: 'alice@example.test' },
    });
    const other = await verify({ body: hello, headers }, '?ip=192.0.2.2');
    expect(other.json.spf.mailFrom.result).toBe('fail');
  });

  test('an address with UTF-8 may stand in a field', async () => {
    const bytes = Buffer.from('jürgen@example.test', 'utf8').toString('latin1');
    const { json } = await verify({ body: hello, headers: { 'X-Zegel-Ip': '192.0.2.1', 'X-Zegel-Mail-From': bytes } });
    expect(json.spf.mailFrom.evidence.sender).toBe('jürgen@example.test');
  });

  test('with Accept: message/rfc822 ours stands on top and the forged ones are gone', async () => {
    const forged = ['mx.receiver.test; dkim=pass', 'MX.Receiver.Test 1; spf=pass', '"mx.receiver.test"; dmarc=pass'];
    const signed = await sign({ body: hello, headers: asMessage });
    const raw = Buffer.concat([
      ...forged.map((value) => Buffer.from(`Authentication-Results: ${value}\r\n`)),
      Buffer.from('Authentication-Results: other.test; dkim=none\r\n'),
      signed.bytes,
    ]);
    const { status, bytes, headers } = await verify({ body: raw, headers: asMessage }, query);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('message/rfc822');
    const text = bytes.toString('latin1');
    expect(text).toMatch(/^Authentication-Results: mx\.receiver\.test;[^]*?dkim=pass/);
    expect(text.match(/^Authentication-Results:.*$/gim)).toHaveLength(2);
    expect(text).toContain('Authentication-Results: other.test; dkim=none\r\n');
    expect(bytes.subarray(-signed.bytes.length).equals(signed.bytes)).toBe(true);
  });

  test.each<[string, string | Buffer]>([
    ['an empty body', ''],
    ['headers only', message('From: alice@example.test')],
    ['no From', message('To: b@example.org', '', 'x')],
    ['two From', message('From: a@example.test', 'From: b@example.test', '', 'x')],
    ['NUL bytes', message('From: a@example.test', 'X: \0', '', '\0')],
    ['mixed line ends', 'From: a@example.test\r\nTo: b@example.org\n\nx\r\n'],
    ['cut off in the header', 'From: a@example.test\r\nDKIM-Signature: v=1; a=rsa'],
    ['JSON', '{"a":1}'],
    [
      '5,000 header fields',
      message('From: a@example.test', ...Array.from({ length: 5_000 }, (_, n) => `X-${n}: x`), ''),
    ],
    [
      'a header block of 2 MB',
      message('From: a@example.test', ...Array.from({ length: 900 }, (_, n) => `X-${n}: ${'x'.repeat(2_400)}`), ''),
    ],
  ])('whatever a message holds there is a report: %s', async (_what, body) => {
    const elsewhere = '?ip=192.0.2.66&mailFrom=alice@example.test';
    const { status, json } = await verify({ body }, elsewhere);
    expect(status).toBe(200);
    expect(json.dmarc.result).not.toBe('pass');
    const edited = await verify({ body, headers: asMessage }, elsewhere);
    expect(edited.status).toBe(200);
    expect(edited.bytes.toString('latin1')).toMatch(/^Authentication-Results: mx\.receiver\.test;/);
  });

  test('LF-only input is read as CRLF, and the report says so', async () => {
    const signed = await sign({ body: hello, headers: asMessage });
    const { json } = await verify({ body: signed.bytes.toString('latin1').replaceAll('\r\n', '\n') });
    expect(json.dkim[0].result).toBe('pass');
    expect(json.notices).toContainEqual(expect.objectContaining({ code: 'message.line-ends-normalised' }));
  });

  test.each([
    ['?ip=300.1.1.1', 'ip'],
    ['?ip=192.0.2.1&ip=192.0.2.2', 'ip'],
    [`?helo=${'h'.repeat(2_000)}`, 'helo'],
    [`?mailFrom=${'m'.repeat(2_000)}`, 'mailFrom'],
  ])('a parameter that makes no sense is refused before the message is read: %#', async (bad, name) => {
    const { status, json } = await verify({ body: hello }, bad);
    expect([status, json.code]).toEqual([400, 'http.parameter']);
    expect(json.detail).toContain(name);
  });
});

test('both verbs answer 406 when the client wants something else', async () => {
  for (const attempt of [sign, verify]) {
    const { status, json } = await attempt({ body: hello, headers: { Accept: 'text/html' } });
    expect([status, json.code]).toEqual([406, 'http.not-acceptable']);
  }
});

test('private keys are nowhere in what was logged, nor are local parts or query strings', async () => {
  await verify({ body: hello }, '?ip=192.0.2.1&helo=secret-helo.test&mailFrom=secret-local@example.test');
  const log = signer.log();
  expect(log).toContain('/v1/verify');
  for (const secret of ['secret-helo', 'secret-local', 'alice', 'PRIVATE', signer.admin, '192.0.2.1']) {
    expect(log).not.toContain(secret);
  }
});
