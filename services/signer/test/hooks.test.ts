import { findForged } from '@zegel/auth-results';
import { parseMessage } from '@zegel/message';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rebuildMessage, stalwartModifications } from '../src/hooks/stalwart-message.ts';
import { applyModifications, stalwartRequest } from './stalwart-client.ts';
import type { StalwartSession } from './stalwart-client.ts';
import { call, hello, message, startTestSigner } from './test-signer.ts';
import type { TestSigner } from './test-signer.ts';

let signer: TestSigner;
/** May verify and sign, like the token of a mail server. */
let token: string;

beforeAll(async () => {
  signer = await startTestSigner({
    env: {
      ZEGEL_OUTBOUND_INTERNAL_NETWORKS: '198.51.100.0/24',
      ZEGEL_SUBMITTERS_NETWORKS: '[{"network":"198.51.100.0/24","domains":["example.test"]}]',
      ZEGEL_INBOUND_POLICY: 'enforce',
    },
  });
  await signer.addDomain('example.test');
  await signer.addDomain('single.test', ['ed25519-sha256']);
  signer.zone['example.test'] = { TXT: ['v=spf1 ip4:192.0.2.1 -all'] };
  signer.zone['_dmarc.example.test'] = { TXT: ['v=DMARC1; p=reject'] };
  signer.zone['_dmarc.quiet.test'] = { TXT: ['v=DMARC1; p=quarantine'] };
  token = await signer.token(['verify', 'sign']);
});
afterAll(() => signer[Symbol.asyncDispose]());

const alice = { login: 'alice@example.test', mailFrom: 'alice@example.test' } as const;
const sender = { ip: '192.0.2.1', mailFrom: 'alice@example.test', helo: 'mail.example.test' } as const;

async function stalwart(raw: Buffer, session: StalwartSession = {}, query = '', secret = token) {
  return call(`${signer.url}/v1/hooks/stalwart${query}`, {
    token: secret,
    type: 'application/json',
    body: JSON.stringify(stalwartRequest(raw, session)),
  });
}

const post = (body: object) =>
  call(`${signer.url}/v1/hooks/stalwart`, { token, type: 'application/json', body: JSON.stringify(body) });

async function rspamd(raw: Buffer, headers: Record<string, string> = {}, query = '', secret = token) {
  return call(`${signer.url}/checkv2${query}`, { token: secret, type: 'text/plain', headers, body: raw });
}

/** Our own report on a message, by the exact door. */
async function report(raw: Buffer) {
  const answer = await call(`${signer.url}/v1/verify?ip=203.0.113.9&mailFrom=alice@example.test`, {
    token: signer.admin,
    body: raw,
  });
  return answer.json;
}

const forged = [
  'Authentication-Results: mx.receiver.test; dkim=pass header.d=bank.test',
  'Authentication-Results: mx.elsewhere.test; spf=pass',
  'authentication-results : MX.RECEIVER.TEST 1; dmarc=pass',
  'Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000',
  'Authentication-Results: "mx.receiver.test"; arc=pass',
] as const;
const withForged = (rest: Buffer) => Buffer.concat([message(...forged), rest]);

function resultsOf(raw: Buffer): string[] {
  const header = raw.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return header
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .filter((line) => /^authentication-results\s*:/i.test(line));
}

describe('POST /v1/hooks/stalwart', () => {
  test('what a login hands in is signed, with every key, and the signatures hold on what Stalwart sends', async () => {
    const { status, json } = await stalwart(hello, alice);
    expect([status, json.action, json.zegel.direction, json.zegel.outcome]).toEqual([
      200,
      'accept',
      'outbound',
      'signed',
    ]);
    expect(json.zegel.notices).toEqual([]);
    const sent = applyModifications(hello, json.modifications);
    expect(sent.subarray(-hello.length).equals(hello)).toBe(true);
    expect((await report(sent)).dkim.map(({ result }: { result: string }) => result)).toEqual(['pass', 'pass']);
  });

  test('a network signs for its own domains alone', async () => {
    expect((await stalwart(hello, { ip: '198.51.100.7' })).json.zegel).toMatchObject({ outcome: 'signed' });
    const other = message('From: a@single.test', '', 'x');
    const { json } = await stalwart(other, { ip: '198.51.100.7' });
    expect(json).toMatchObject({
      action: 'reject',
      response: { status: 550, enhanced_status: '5.7.1', disconnect: false },
      modifications: [],
      zegel: { outcome: 'rejected', code: 'signing.not-permitted' },
    });
  });

  test('a login does not sign for somebody else', async () => {
    const { json } = await stalwart(hello, { ...alice, login: 'eve@example.test' });
    expect([json.action, json.response.status, json.zegel.code]).toEqual(['reject', 550, 'signing.not-permitted']);
  });

  test('what comes in gets one Authentication-Results of ours, on top; the three forged ones go, the foreign one stays', async () => {
    const signed = applyModifications(hello, (await stalwart(hello, alice)).json.modifications);
    const raw = withForged(signed);
    const { json } = await stalwart(raw, sender);
    expect([json.action, json.zegel.direction, json.zegel.outcome]).toEqual(['accept', 'inbound', 'accepted']);
    const received = applyModifications(raw, json.modifications);
    const [ours, foreign, ...more] = resultsOf(received);
    expect(more).toEqual([]);
    expect(received.toString('latin1')).toMatch(/^Authentication-Results: mx\.receiver\.test;\r\n/);
    expect(ours).toMatch(/dkim=pass.*dkim=pass.*spf=pass.*dmarc=pass/);
    expect(foreign).toBe(forged[1]);
  });

  test('mail that fails DMARC is rejected as the policy asks', async () => {
    const { json } = await stalwart(hello, { ip: '203.0.113.9', mailFrom: 'alice@example.test' });
    expect(json).toMatchObject({
      action: 'reject',
      response: { status: 550, enhanced_status: '5.7.1', message: expect.stringContaining('DMARC') },
      modifications: [],
    });
  });

  test('mail to hold is quarantined, and annotated', async () => {
    const { json } = await stalwart(message('From: a@quiet.test', '', 'x'), { ip: '203.0.113.9' });
    expect([json.action, json.modifications[0].name]).toEqual(['quarantine', 'Authentication-Results']);
  });

  describe('octets that are no UTF-8 are damaged on the way, and the answer says so', () => {
    const latin1 = Buffer.concat([hello, Buffer.from('caf\xe9\r\n', 'latin1')]);

    test('nothing is signed: the refusal is the configured one', async () => {
      const { json } = await stalwart(latin1, alice);
      expect([json.action, json.response.status, json.zegel.code]).toEqual(['reject', 550, 'message.bytes-not-exact']);
      expect(JSON.stringify(json)).not.toContain('DKIM-Signature');
    });

    test('no signature is verified; SPF, DMARC by SPF and the removal of forged fields are as ever', async () => {
      const signed = (
        await call(`${signer.url}/v1/sign`, {
          token: signer.admin,
          body: latin1,
          headers: { Accept: 'message/rfc822' },
        })
      ).bytes;
      expect((await report(signed)).dkim).toMatchObject([{ result: 'pass' }, { result: 'pass' }]);
      const raw = withForged(signed);
      const { json } = await stalwart(raw, sender);
      expect(json.zegel.notices.map(({ code }: { code: string }) => code)).toEqual(['message.bytes-not-exact']);
      const [ours = '', foreign, ...more] = resultsOf(applyModifications(raw, json.modifications));
      expect(ours).toContain('dkim=neutral reason=message.bytes-not-exact');
      expect(ours).toMatch(/spf=pass .*dmarc=pass/);
      expect([foreign, more]).toEqual([forged[1], []]);
    });

    test('DMARC does not fail for a signature that might hold, and does where there is none', async () => {
      const signed = Buffer.concat([message('DKIM-Signature: v=1; d=example.test'), latin1]);
      const stranger = { ip: '203.0.113.9', mailFrom: 'alice@example.test' };
      const { json } = await stalwart(signed, stranger);
      expect(json.action).toBe('accept');
      expect(json.modifications[0].value).toContain('dmarc=temperror reason=message.bytes-not-exact');
      expect((await stalwart(latin1, stranger)).json).toMatchObject({
        action: 'reject',
        zegel: { outcome: 'rejected' },
      });
    });

    test.each([
      [
        'in a header field',
        Buffer.concat([Buffer.from('Subject: caf\xe9\r\n', 'latin1'), message('From: a@single.test', '', 'x')]),
      ],
      ['of a U+FFFD that was one: it cannot be told', message('From: a@single.test', '', 'x\u{FFFD}')],
      ['where the header is not what is listed', Buffer.from('From: a@single.test\r\n\nx\r\n')],
    ])('%s', async (_, raw) => {
      const { json } = await stalwart(raw, { ip: '203.0.113.9' });
      expect(json.zegel.notices.map(({ code }: { code: string }) => code)).toContain('message.bytes-not-exact');
    });
  });

  test.each([
    ['UTF-8', message('From: alice@example.test', 'Subject: Grüße', '', 'Käse €')],
    [
      'an odd header',
      message('From: alice@example.test', 'Subject:no space', 'X-A:\ttab', 'X-B: folded', '  twice', 'X-C:', '', 'x'),
    ],
    ['no body', Buffer.from('From: alice@example.test\r\nSubject: x\r\n')],
    ['an empty body', Buffer.from('From: alice@example.test\r\nSubject: x\r\n\r\n')],
    ['NUL and control octets', message('From: alice@example.test', '', 'a\0b\x01\x7f')],
    ['no line end at the end', Buffer.from('From: alice@example.test\r\n\r\nx')],
  ])('is exact for %s', async (_, raw) => {
    const { json } = await stalwart(raw, alice);
    expect([json.zegel.outcome, json.zegel.notices]).toEqual(['signed', []]);
    expect((await report(applyModifications(raw, json.modifications))).dkim).toMatchObject([
      { result: 'pass' },
      { result: 'pass' },
    ]);
  });

  test('a forged field behind a bare LF goes with the field that hides it', async () => {
    const raw = Buffer.from(
      'X-A: 1\r\nX-B: 2\nAuthentication-Results: mx.receiver.test; dkim=pass\r\nFrom: a@single.test\r\n\r\nx\r\n',
    );
    const { json } = await stalwart(raw, { ip: '203.0.113.9' });
    const received = applyModifications(raw, json.modifications).toString('latin1');
    expect(received).not.toContain('dkim=pass');
    expect(received).toContain('X-A: 1');
  });

  test('fifty thousand forged fields go in one pass, the last one first', () => {
    const raw = Buffer.concat([...Array.from({ length: 50_000 }, () => message(forged[0])), hello]);
    const { headers, contents, size } = stalwartRequest(raw).message;
    const rebuilt = rebuildMessage({
      headers: headers.map(([name = '', value = '']) => [name, value]),
      contents,
      size,
    });
    expect([rebuilt.mayBeDamaged, Buffer.compare(raw, rebuilt.raw)]).toEqual([false, 0]);
    const remove = findForged(parseMessage(raw).header, ['mx.receiver.test']);
    const { modifications, isComplete } = stalwartModifications(rebuilt, { remove, prepend: [message('A: b')] });
    expect([modifications.length, isComplete]).toEqual([50_001, true]);
    expect(modifications[0]).toEqual({ type: 'deleteHeader', name: 'Authentication-Results', index: 50_000 });
    expect(modifications.at(-1)).toEqual({ type: 'addHeader', name: 'A', value: 'b' });
  });

  test('other stages and another spelling of HELO are taken; another version is not', async () => {
    const request = stalwartRequest(hello, sender);
    const { message: _message, ...early } = request;
    expect((await post({ ...early, context: { ...early.context, stage: 'RCPT' } })).json).toEqual({
      action: 'accept',
      modifications: [],
      zegel: { code: 'hook.nothing-to-do', explanation: expect.any(String) },
    });
    const client = { ip: '192.0.2.1', ehlo: 'mail.example.test' };
    const documented = await post({
      ...request,
      context: { ...request.context, client },
      envelope: { from: { address: '' } },
    });
    expect(documented.json.zegel.direction).toBe('inbound');
    expect(documented.json.zegel.code).toBe('disposition.policy-reject');
    const version2 = await post({ ...request, context: { ...request.context, protocol: { version: 2 } } });
    expect([version2.status, version2.json.code]).toEqual([422, 'hook.version']);
  });

  test.each<[string, object | string, number, string]>([
    ['no JSON', '{', 400, 'http.body'],
    ['another shape', { context: {} }, 422, 'http.body'],
    ['no size', { ...stalwartRequest(hello), message: { headers: [], contents: '' } }, 422, 'http.body'],
    ['an address that is none', stalwartRequest(hello, { ip: 'here' }), 400, 'http.parameter'],
  ])('%s is refused', async (_, body, status, code) => {
    const answer = await call(`${signer.url}/v1/hooks/stalwart`, {
      token,
      type: 'application/json',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });
});

describe('POST /checkv2', () => {
  const login = { User: 'alice@example.test', From: '<alice@example.test>', IP: '203.0.113.9' };
  const stranger = {
    From: 'alice@example.test',
    IP: '203.0.113.9',
    Helo: 'mail.example.test',
    'Queue-Id': '1',
    Rcpt: 'b@c.test',
  };

  test('what goes out gets its signatures; several are a list, one is a text', async () => {
    const { status, json } = await rspamd(hello, login);
    expect([status, json.action, json.is_skipped]).toEqual([200, 'no action', false]);
    const fields = json['dkim-signature'].map((value: string) => `DKIM-Signature: ${value}\r\n`);
    const sent = Buffer.concat([Buffer.from(fields.join('')), hello]);
    expect((await report(sent)).dkim).toMatchObject([{ result: 'pass' }, { result: 'pass' }]);
    expect(json.symbols.DKIM_SIGNED).toMatchObject({ score: 0 });

    const single = message('From: ann@single.test', '', 'x');
    const one = (await rspamd(single, { User: 'ann@single.test' })).json['dkim-signature'];
    const signed = Buffer.concat([Buffer.from(`DKIM-Signature: ${one}\r\n`), single]);
    expect((await report(signed)).dkim).toMatchObject([{ result: 'pass' }]);
  });

  test('octets are exact: 8-bit, NUL, and bare LF throughout, whose values are folded with LF', async () => {
    const odd = Buffer.concat([hello, Buffer.from('caf\xe9 \0\r\n', 'latin1')]);
    const withLf = Buffer.from(odd.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    for (const raw of [odd, withLf]) {
      const { json } = await rspamd(raw, login);
      const fields = json['dkim-signature'].map((value: string) => `DKIM-Signature: ${value}`);
      expect(fields.join('').includes('\r\n')).toBe(raw === odd);
      const end = raw === odd ? '\r\n' : '\n';
      const sent = Buffer.concat([Buffer.from(`${fields.join(end)}${end}`), raw]);
      expect((await report(sent)).dkim).toMatchObject([{ result: 'pass' }, { result: 'pass' }]);
    }
  });

  test('what comes in is annotated: one field of ours, and what has to go', async () => {
    const raw = Buffer.concat([message(forged[1], forged[0]), hello]);
    const { json } = await rspamd(raw, { ...stranger, IP: '192.0.2.1' });
    expect(json).toMatchObject({
      action: 'no action',
      score: 0,
      symbols: { R_SPF_ALLOW: {}, R_DKIM_NA: {}, DMARC_POLICY_ALLOW: { options: ['example.test'] }, ARC_NA: {} },
      milter: {
        add_headers: {
          'Authentication-Results': { order: 0, value: expect.stringMatching(/^mx\.receiver\.test;\r\n\t/) },
        },
        remove_headers: { 'Authentication-Results': 2 },
      },
      zegel: { direction: 'inbound', notices: [] },
    });
    expect(json).not.toHaveProperty('dkim-signature');
  });

  test('several forged ones among foreign ones: all go, and the answer says so', async () => {
    const { json } = await rspamd(withForged(hello), { ...stranger, IP: '192.0.2.1' });
    expect(json.milter.remove_headers).toEqual({ 'Authentication-Results': 0 });
    expect(json.zegel.notices).toMatchObject([{ code: 'hook.removals-not-exact' }]);
  });

  test.each([
    ['reject', hello, { ...stranger }, 15, /^5\.7\.1 DMARC/],
    ['add header', message('From: a@quiet.test', '', 'x'), { IP: '203.0.113.9' }, 0, /^$/],
  ])('as DMARC asks: %s', async (action, raw, headers, score, text) => {
    const { json } = await rspamd(raw, headers);
    expect([json.action, json.score]).toEqual([action, score]);
    expect(json.messages.smtp_message ?? '').toMatch(text);
  });

  test('a login that may not sign is refused', async () => {
    const { json } = await rspamd(hello, { User: 'eve@example.test' });
    expect([json.action, json.zegel.code]).toEqual(['reject', 'signing.not-permitted']);
  });

  test.each([
    ['File', '/etc/passwd'],
    ['Shm', '/x'],
    ['Message-Length', '5'],
    ['Compression', 'zstd'],
  ])('%s is not taken: nothing but the body is read', async (name, value) => {
    const { status, json } = await rspamd(hello, { [name]: value });
    expect([status, Object.keys(json)]).toEqual([400, ['error']]);
    expect(json.error).toMatch(/^hook\.field-refused: /);
  });

  test('what goes wrong is an error that no client takes for a verdict', async () => {
    const wrong = await rspamd(hello, { IP: 'here' });
    expect([wrong.status, Object.keys(wrong.json)]).toEqual([400, ['error']]);
    const tooLarge = await rspamd(Buffer.alloc(52_428_801, 'x'));
    expect([tooLarge.status, tooLarge.json.error]).toEqual([413, expect.stringMatching(/^message\.too-large: /)]);
  });
});

const basic = (secret: string) => ({ Authorization: `Basic ${Buffer.from(`any:${secret}`).toString('base64')}` });
const handedIn = JSON.stringify(stalwartRequest(hello, sender));
const toStalwart = (headers: Record<string, string>) =>
  call(`${signer.url}/v1/hooks/stalwart`, { headers, body: handedIn, type: 'application/json' });
const toRspamd = (headers: Record<string, string>) =>
  call(`${signer.url}/checkv2`, { headers: { IP: '192.0.2.1', ...headers }, body: hello });

describe('who may call', () => {
  test('without a token nobody, and the answer names what can be given', async () => {
    for (const answer of [await toStalwart({}), await toRspamd({}), await toRspamd({ Password: 'q1' })]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
    }
    expect((await toStalwart({})).headers.get('www-authenticate')).toBe('Bearer realm="zegel", Basic realm="zegel"');
    expect(Object.keys((await toRspamd({})).json)).toEqual(['error']);
  });

  test('a token as bearer, as the password of Basic, and for rspamd in its own field', async () => {
    expect((await toStalwart({ Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await toStalwart(basic(token))).status).toBe(200);
    expect((await toRspamd(basic(token))).status).toBe(200);
    expect((await toRspamd({ Password: token })).status).toBe(200);
    expect((await toStalwart({ Password: token })).status).toBe(401);
    expect((await call(`${signer.url}/v1/verify`, { headers: basic(token), body: hello })).status).toBe(401);
  });

  test('outbound mail asks for the scope sign too, and for the domains of the token', async () => {
    const verifier = await signer.token(['verify']);
    const denied = await stalwart(hello, alice, '', verifier);
    expect([denied.status, denied.json.code]).toEqual([403, 'http.forbidden']);
    expect((await stalwart(hello, sender, '', verifier)).status).toBe(200);
    const signing = await signer.token(['sign']);
    expect((await rspamd(hello, { User: 'alice@example.test' }, '', signing)).status).toBe(403);
    const elsewhere = await signer.token(['verify', 'sign'], ['single.test']);
    expect((await stalwart(hello, alice, '', elsewhere)).json.zegel.code).toBe('signing.not-permitted');
    const here = await signer.token(['verify', 'sign'], ['example.test']);
    expect((await stalwart(hello, alice, '', here)).json.zegel.outcome).toBe('signed');
  });

  test('mode says which mail comes by a URL', async () => {
    expect(
      (await rspamd(hello, { User: 'alice@example.test', IP: '192.0.2.1', From: 'alice@example.test' }, '?mode=verify'))
        .json.zegel,
    ).toMatchObject({ direction: 'inbound' });
    expect((await rspamd(hello, { IP: '192.0.2.1' }, '?mode=sign')).json.zegel).toMatchObject({
      direction: 'outbound',
      code: 'signing.not-permitted',
    });
    expect((await stalwart(hello, {}, '?mode=none')).status).toBe(400);
  });

  test('one line is logged about each message, without local parts', async () => {
    const lines = signer
      .log()
      .split('\n')
      .filter((line) => line.includes('"door":"stalwart"'));
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.join('\n')).not.toMatch(/alice@|Hello Bob/);
  });
});
