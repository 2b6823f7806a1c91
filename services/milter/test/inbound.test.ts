import { createSigningKey, generateKeyPair } from '@zegel/dkim';
import { defaultInboundPolicy } from '@zegel/mail-policy';
import { fullOffer } from '@zegel/milter-protocol';
import { describe, expect, it } from 'vitest';
import { filter, filterOne, mail, openSession, startTestMilter } from './test-milter.ts';

const hello = mail('From: Ann <ann@example.org>', 'Subject: Hi', '', 'Hello.');
const enforce = { ...defaultInboundPolicy, policy: 'enforce' } as const;
const stranger = { family: 'ipv4', address: '198.51.100.1', port: 25 } as const;
const login = 'ann@example.org';

describe('mail that comes in', () => {
  it('gets one Authentication-Results, ours, on top, and the forged ones go', async () => {
    await using milter = await startTestMilter();
    const forged = mail(
      'Received: by x',
      'Authentication-Results: mx.receiver.test; dkim=pass',
      'Subject: Hi',
      'Authentication-Results: elsewhere.test; none',
      'authentication-results: MX.receiver.test 1; spf=pass',
      'From: ann@example.org',
      'Authentication-Results:(x)mx.receiver.test.; dmarc=pass',
      '',
      'Hello.',
    );
    const { verdict, message } = await filterOne(milter, forged);
    expect(verdict).toEqual({ kind: 'continue' });
    expect(message).toMatch(/^Authentication-Results: mx\.receiver\.test;[^]*?spf=pass smtp\.mailfrom=example\.org/);
    expect(message.match(/authentication-results/gi)).toHaveLength(2);
    expect(message).toContain('Authentication-Results: elsewhere.test; none\r\n');
    expect(milter.log()).toContainEqual(
      expect.objectContaining({
        queueId: 'QUEUE1',
        direction: 'inbound',
        why: 'flow.none',
        outcome: 'accepted',
        code: 'disposition.annotate',
        spf: 'spf.pass',
        dmarc: 'dmarc.pass-spf',
        dkim: ['dkim.none'],
        removed: 3,
      }),
    );
    expect(await milter.metrics()).toContain('zegel_milter_messages_total{direction="inbound",outcome="accepted"} 1');
  });

  it('with a signature of ours verifies, body and all', async () => {
    await using milter = await startTestMilter();
    const signed = (await filterOne(milter, hello, { login })).message;
    const { message } = await filterOne(milter, signed, { client: stranger });
    expect(message).toMatch(/dkim=pass header\.d=example\.org header\.s=rsa/);
    expect(message).toMatch(/dmarc=pass/);
  });

  it('is rejected or held when DMARC asks for it and that is configured, and passes when it is not', async () => {
    await using annotating = await startTestMilter();
    expect(await filterOne(annotating, hello, { client: stranger })).toMatchObject({ verdict: { kind: 'continue' } });

    await using milter = await startTestMilter({ rules: { inbound: enforce } });
    const rejected = await filterOne(milter, hello, { client: stranger });
    expect(rejected.verdict).toMatchObject({ kind: 'reply-code', code: 550, enhanced: '5.7.1' });
    expect(rejected.modifications).toEqual([]);

    milter.zone['_dmarc.example.org'] = { TXT: ['v=DMARC1; p=quarantine'] };
    const held = await filterOne(milter, hello, { client: stranger });
    expect(held.quarantine).toContain('example.org');
    expect(held.message).toMatch(/^Authentication-Results: /);
    const metrics = await milter.metrics();
    for (const outcome of ['rejected', 'quarantined']) {
      expect(metrics).toContain(`zegel_milter_messages_total{direction="inbound",outcome="${outcome}"} 1`);
    }
    const offer = { ...fullOffer, protocol: 0x1f_ffff, actions: fullOffer.actions & ~0x20 };
    expect(await filterOne(milter, hello, { client: stranger, offer })).toMatchObject({
      verdict: { kind: 'continue' },
      quarantine: null,
    });
    expect(milter.log()).toContainEqual(
      expect.objectContaining({
        outcome: 'accepted',
        code: 'disposition.policy-quarantine',
        notice: 'milter.no-quarantine',
      }),
    );
    expect(await milter.metrics()).toContain(
      'zegel_milter_messages_total{direction="inbound",outcome="quarantined"} 1',
    );
  });

  it('is deferred while the DNS is away, when that is configured', async () => {
    const onTemporaryError = 'tempfail' as const;
    await using milter = await startTestMilter({ rules: { inbound: { ...enforce, onTemporaryError } } });
    milter.zone['_dmarc.example.org'] = 'SERVFAIL';
    expect((await filterOne(milter, hello)).verdict).toMatchObject({ code: 451, enhanced: '4.7.0' });
  });

  it('gets Received-SPF and an ARC seal when that is configured', async () => {
    const { privateKey } = await generateKeyPair('ed25519-sha256');
    const sealingKey = createSigningKey({ domain: 'receiver.test', selector: 'arc', privateKey });
    await using plain = await startTestMilter();
    const authentication = { ...plain.rules.authentication, receivedSpf: true, sealingKey };
    await using milter = await startTestMilter({ rules: { authentication } });
    const { message } = await filterOne(milter, hello);
    const names = [...message.matchAll(/^([A-Za-z-]+):/gm)].map(([, name]) => name);
    expect(names.slice(0, 5)).toEqual([
      'Authentication-Results',
      'Received-SPF',
      'ARC-Seal',
      'ARC-Message-Signature',
      'ARC-Authentication-Results',
    ]);
  });

  it('above a limit still loses what is forged, and says that it was not checked', async () => {
    await using milter = await startTestMilter();
    const forged = mail('Authentication-Results: mx.receiver.test; dkim=pass');
    const many = Array.from({ length: 30 }, () => `X: ${'x'.repeat(60_000)}`);
    const { message } = await filterOne(milter, forged + mail(...many) + forged + hello);
    expect(message).toMatch(/^Authentication-Results: mx\.receiver\.test;[^]*?dkim=permerror/);
    expect(message.match(/authentication-results/gi)).toHaveLength(1);
  });

  it('with a header beyond what is held is rejected, and the session goes on', async () => {
    await using milter = await startTestMilter();
    const client = await openSession(milter.socket);
    const many = mail(...Array.from({ length: 90_000 }, () => 'X: y'));
    expect((await filter(client, many + hello)).verdict).toMatchObject({ code: 552, enhanced: '5.3.4' });
    expect((await filter(client, hello)).verdict).toEqual({ kind: 'continue' });
    await client.quit();
  });

  it('from an MTA that gives the whole message as its body is told apart in the log', async () => {
    await using milter = await startTestMilter();
    const client = await openSession(milter.socket);
    await client.step({ kind: 'mail', address: '<ann@example.org>', parameters: [] });
    await client.step({ kind: 'header', name: Buffer.from('From'), value: Buffer.from(' ann@example.org') });
    await client.step({ kind: 'header', name: Buffer.from('Subject'), value: Buffer.from(' Hi') });
    await client.step({ kind: 'end-of-header' });
    await client.step({ kind: 'body', chunk: Buffer.from(mail('From:  ann@example.org', 'Subject: Hi', '', 'x')) });
    expect(await client.endOfMessage()).toMatchObject({ verdict: { kind: 'continue' } });
    await client.quit();
    expect(milter.log()).toContainEqual(
      expect.objectContaining({ level: 'warn', notice: 'milter.whole-message-as-body' }),
    );
  });

  it('without a client address, or from a source route, is taken as it is', async () => {
    await using milter = await startTestMilter({ mode: 'verify' });
    const unknown = await filterOne(milter, hello, { client: { family: 'unknown' } });
    expect(unknown.message).not.toContain('spf=');
    const routed = await filterOne(milter, hello, { from: '<@relay.test,@other.test:ann@example.org>' });
    expect(routed.message).toContain('spf=pass smtp.mailfrom=example.org');
    const bounce = await filterOne(milter, hello, { from: '<>' });
    expect(bounce.message).toContain('smtp.helo=client.example.org');
  });
});
