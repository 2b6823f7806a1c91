import { createLoginMap } from '@zegel/mail-policy';
import { fullOffer } from '@zegel/milter-protocol';
import { describe, expect, it } from 'vitest';
import { filter, filterOne, keysOf, mail, openSession, reportOn, startTestMilter } from './test-milter.ts';

const hello = mail('From: Ann <ann@example.org>', 'To: bob@example.net', 'Subject: Hi', '', 'Hello.');
const login = 'ann@example.org';
const local = { family: 'ipv4', address: '127.0.0.1', port: 1 } as const;
const keySource = { activeKeys: async (domain: string) => (domain === 'example.org' ? keysOf(domain) : null) };
const simple = { keySource, canonicalization: { header: 'simple', body: 'simple' } } as const;

describe('mail that goes out', () => {
  it.each([
    ['by a login', { login }, 'flow.login'],
    ['by a daemon name', { daemonName: 'ORIGINATING', client: local }, 'flow.daemon-name'],
    ['by its client', { client: local }, 'flow.internal-network'],
  ] as const)('%s is signed with every key of its author domain', async (_what, session, why) => {
    await using milter = await startTestMilter();
    const { verdict, message } = await filterOne(milter, hello, session);
    expect(verdict).toEqual({ kind: 'continue' });
    expect((await reportOn(message, milter.zone)).dkim.map(({ code }) => code)).toEqual(['dkim.pass', 'dkim.pass']);
    expect(message.endsWith(hello)).toBe(true);
    expect(milter.log()).toContainEqual(
      expect.objectContaining({
        queueId: 'QUEUE1',
        direction: 'outbound',
        why,
        outcome: 'signed',
        code: 'signing.signed',
        domain: 'example.org',
        keys: 'rsa (rsa-sha256), ed (ed25519-sha256)',
      }),
    );
    expect(await milter.metrics()).toContain('zegel_milter_messages_total{direction="outbound",outcome="signed"} 1');
  });

  it('is signed as it is, whatever its header looks like', async () => {
    await using milter = await startTestMilter({ mode: 'sign', rules: { signing: simple } });
    const odd = [
      mail('From:ann@example.org', 'Subject:\tHi', 'To:', ' bob@example.net', 'Cc:  a@b.test,', '\tc@d.test ', '', ''),
      mail('From: ann@example.org', 'Subject: \u00E9', '', 'Body \u00FF  ', '', ''),
      mail('From: ann@example.org', 'X: ', 'Y:', ''),
      mail('From: ann@example.org', '', ...Array.from({ length: 2000 }, () => 'x'.repeat(900))),
    ];
    const client = await openSession(milter.socket);
    for (const text of odd) {
      const { message } = await filter(client, Buffer.from(text, 'latin1'), { login });
      expect((await reportOn(message, milter.zone)).dkim.map(({ result }) => result)).toEqual(['pass', 'pass']);
    }
    await client.quit();
  });

  it('is signed in relaxed form for an MTA that does not keep leading spaces', async () => {
    await using milter = await startTestMilter({ mode: 'sign', rules: { signing: simple } });
    const text = mail('From:ann@example.org', 'Subject:  Hi', 'To:', '\tbob@example.net', '', 'Hello.');
    const { message } = await filterOne(milter, text, { login, offer: { ...fullOffer, protocol: 0 } });
    expect(message).toMatch(/c=relaxed\/simple/);
    expect((await reportOn(message, milter.zone)).dkim.map(({ result }) => result)).toEqual(['pass', 'pass']);
    expect(milter.log()).toContainEqual(expect.objectContaining({ outcome: 'signed', headerNotExact: true }));
  });

  it('loses the results under our names that it came with', async () => {
    await using milter = await startTestMilter();
    const results = mail(
      'Authentication-Results: mx.receiver.test; dkim=pass',
      'X: y',
      'Authentication-Results: other.test; none',
    );
    const { message } = await filterOne(milter, results + hello, { login });
    expect(message).not.toContain('mx.receiver.test');
    expect(message).toContain('Authentication-Results: other.test; none');
    expect((await reportOn(message, milter.zone)).dkim[0]?.result).toBe('pass');
  });

  it('of somebody else is refused, and counted', async () => {
    await using milter = await startTestMilter();
    const outcome = await filterOne(milter, hello, { login: 'mallory@example.org' });
    expect(outcome.verdict).toMatchObject({ kind: 'reply-code', code: 550, enhanced: '5.7.1' });
    expect(outcome.modifications).toEqual([]);
    const metrics = await milter.metrics();
    expect(metrics).toContain('zegel_milter_refusals_total{group="notPermitted",action="reject"} 1');
    expect(metrics).toContain('zegel_milter_messages_total{direction="outbound",outcome="rejected"} 1');
    expect(JSON.stringify(milter.log())).not.toContain('mallory');
  });

  it('without a key is deferred, or goes on unsigned when that is configured, and is counted', async () => {
    const rules = { submitters: { logins: createLoginMap({ ann: ['*'] }), networks: [] } };
    const text = mail('From: ann@nokey.test', '', 'x');
    await using strict = await startTestMilter({ rules });
    expect((await filterOne(strict, text, { login: 'ann' })).verdict).toMatchObject({ code: 451, enhanced: '4.7.5' });

    const onRefusal = { ...strict.rules.onRefusal, missingKey: 'send-unsigned' } as const;
    await using lenient = await startTestMilter({ rules: { ...rules, onRefusal } });
    const outcome = await filterOne(lenient, text, { login: 'ann' });
    expect(outcome).toMatchObject({ verdict: { kind: 'continue' }, message: text });
    expect(await lenient.metrics()).toContain('zegel_milter_unsigned_total{reason="signing.unknown-domain"} 1');
    expect(lenient.log()).toContainEqual(expect.objectContaining({ outcome: 'unsigned', group: 'missingKey' }));
  });

  it.each([
    ['the key store', { activeKeys: () => Promise.reject(new Error('away')) }],
    [
      'a remote key',
      {
        activeKeys: async (domain: string) =>
          keysOf(domain).map((key) => ({ ...key, sign: () => Promise.reject(new Error('away')) })),
      },
    ],
  ])('is deferred and never sent unsigned while %s is away, and the connection stays', async (_what, source) => {
    await using milter = await startTestMilter({ rules: { signing: { keySource: source } } });
    const client = await openSession(milter.socket);
    for (const attempt of [1, 2]) {
      expect((await filter(client, hello, { login })).verdict).toMatchObject({ code: 451, enhanced: '4.3.0' });
      expect(await milter.metrics()).toContain(
        `zegel_milter_refusals_total{group="infrastructure",action="tempfail"} ${attempt}`,
      );
    }
    await client.quit();
  });

  it('is deferred while the map of logins is away', async () => {
    const logins = { entriesOf: () => Promise.reject(new Error('away')) };
    await using milter = await startTestMilter({ rules: { submitters: { logins, networks: [] } } });
    expect((await filterOne(milter, hello, { login })).verdict).toMatchObject({ code: 451, enhanced: '4.3.0' });
  });

  it('goes by the rules it began with, and the next one by the new rules', async () => {
    await using milter = await startTestMilter();
    const client = await openSession(milter.socket);
    // More than the client holds back: the beginning of the message is on its way, and comes before the next connection.
    await client.macros('mail', [['{auth_authen}', login]]);
    await client.step({ kind: 'mail', address: '<ann@example.org>', parameters: [] });
    for (const name of ['X', 'Y']) {
      await client.step({ kind: 'header', name: Buffer.from(name), value: Buffer.alloc(40_000, 'x') });
    }
    await filterOne(milter, hello, { login });
    milter.useRules({ ...milter.rules, signing: { keySource: { activeKeys: async () => [] } } });
    await client.step({ kind: 'header', name: Buffer.from('From'), value: Buffer.from(' ann@example.org') });
    await client.step({ kind: 'end-of-header' });
    expect((await client.endOfMessage()).modifications).toHaveLength(2);
    expect((await filter(client, hello, { login })).verdict).toMatchObject({ code: 451, enhanced: '4.7.5' });
    await client.quit();
  });
});
