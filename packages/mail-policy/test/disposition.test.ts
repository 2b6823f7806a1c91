import { authenticate } from '@zegel/authentication';
import type { AuthenticationReport } from '@zegel/authentication';
import { ZoneResolver } from '@zegel/dns';
import { describe, expect, test } from 'vitest';
import { decideDisposition, defaultInboundPolicy, parseNetwork } from '../src/index.ts';
import type { InboundPolicy, MailSession } from '../src/index.ts';

const zone = (policy: string) => ({
  '_dmarc.example.org': { TXT: [`v=DMARC1; p=${policy}`] },
  'lists.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
  'example.org': { TXT: ['v=spf1 ip4:198.51.100.1 -all'] },
});

const session: MailSession = { listenerMode: 'verify', ip: '192.0.2.1' };

async function reportOf(options: {
  policy?: string;
  from?: string;
  mailFrom?: string;
  ip?: string;
  field?: string;
  dns?: Record<string, unknown>;
}): Promise<AuthenticationReport> {
  const { policy = 'reject', from = 'a@example.org', mailFrom = '', ip = '192.0.2.1', field = '', dns } = options;
  const { report } = await authenticate(
    Buffer.from(`From: ${from}\r\n${field}\r\n`),
    { session: { ip, helo: 'mx.other.example' }, envelope: { mailFrom } },
    { resolver: new ZoneResolver({ ...zone(policy), ...dns }), authservId: 'mx.example.net' },
  );
  return report;
}

const enforce = (
  rest: Partial<InboundPolicy> = {},
  exceptions: Partial<InboundPolicy['exceptions']> = {},
): InboundPolicy => ({
  ...defaultInboundPolicy,
  policy: 'enforce',
  ...rest,
  exceptions: { ...defaultInboundPolicy.exceptions, ...exceptions },
});

describe('policy "annotate"', () => {
  test('accepts what DMARC would reject, and what has no author', async () => {
    expect(decideDisposition(await reportOf({}), session, defaultInboundPolicy)).toMatchObject({
      action: 'accept',
      code: 'disposition.annotate',
    });
    const nobody = await reportOf({ from: 'nobody' });
    expect(decideDisposition(nobody, session, defaultInboundPolicy).action).toBe('accept');
  });
});

describe('policy "enforce"', () => {
  test('rejects as the domain owner asks, with 550 5.7.1 that names DMARC and the author domain', async () => {
    const disposition = decideDisposition(await reportOf({}), session, enforce());
    expect(disposition).toMatchObject({ action: 'reject', code: 'disposition.policy-reject' });
    expect(disposition.reply).toMatchObject({ code: 550, enhanced: '5.7.1' });
    expect(disposition.reply?.text).toMatch(/DMARC.*example\.org/);
  });

  test('quarantines with a reason that fits the MTA', async () => {
    const disposition = decideDisposition(await reportOf({ policy: 'quarantine' }), session, enforce());
    expect(disposition).toMatchObject({ action: 'quarantine', code: 'disposition.policy-quarantine' });
    expect(disposition.reason).toMatch(/^[ -~]{1,100}$/);
    expect(disposition).not.toHaveProperty('reply');
  });

  test.each([
    ['p=none', { policy: 'none' }, 'disposition.policy-none'],
    ['no record', { from: 'a@other.example' }, 'disposition.no-policy'],
    ['a pass', { mailFrom: 'b@example.org', ip: '198.51.100.1' }, 'disposition.pass'],
    [
      'a test of the policy (t=y), which asks for one level less',
      { policy: 'quarantine; t=y' },
      'disposition.policy-none',
    ],
  ])('accepts with %s', async (_name, options, code) => {
    expect(decideDisposition(await reportOf(options), session, enforce())).toMatchObject({ action: 'accept', code });
  });

  test('never rejects for a policy when the result is not known for now', async () => {
    const report = await reportOf({ mailFrom: 'b@example.org', dns: { 'example.org': 'SERVFAIL' } });
    expect(report.dmarc).toMatchObject({ result: 'temperror', policy: { p: 'reject' } });
    expect(decideDisposition(report, session, enforce()).code).toBe('disposition.temporary-error-accepted');
    const disposition = decideDisposition(report, session, enforce({ onTemporaryError: 'tempfail' }));
    expect(disposition).toMatchObject({ action: 'tempfail', reply: { code: 451, enhanced: '4.7.0' } });
  });

  describe('asks mail to come again only where the result could matter', () => {
    const tempfail = enforce({ onTemporaryError: 'tempfail' });
    const away = { mailFrom: 'b@example.org', dns: { 'example.org': 'SERVFAIL' } };
    const below = { mailFrom: 'b@a.example.org', from: 'a@a.example.org', dns: { 'a.example.org': 'SERVFAIL' } };

    test.each([
      ['p=none', { ...away, policy: 'none; np=reject' }],
      ['p=none above the author domain', { ...below, policy: 'none' }],
      ['a test of p=quarantine', { ...away, policy: 'quarantine; t=y' }],
    ])('which is not so with %s', async (_name, options) => {
      const report = await reportOf(options);
      expect(report.dmarc.result).toBe('temperror');
      for (const policy of [tempfail, { ...tempfail, policy: 'annotate' as const }]) {
        expect(decideDisposition(report, session, policy)).toMatchObject({
          action: 'accept',
          code: 'disposition.temporary-error-policy-none',
        });
      }
    });

    test.each([
      ['a policy', away],
      ['a policy for names that do not exist', { ...below, policy: 'none; np=reject' }],
      ['a policy that is not known', { dns: { '_dmarc.example.org': 'SERVFAIL' } }],
    ])('which it could with %s', async (_name, options) => {
      expect(decideDisposition(await reportOf(options), session, tempfail).action).toBe('tempfail');
    });

    test('which is not so with an exception', async () => {
      const network = parseNetwork('192.0.2.0/24');
      const report = await reportOf({ dns: { '_dmarc.example.org': 'SERVFAIL' } });
      for (const [exceptions, code] of [
        [{ domains: ['example.org'] }, 'disposition.exempt-domain'],
        [{ networks: network === null ? [] : [network] }, 'disposition.exempt-network'],
      ] as const) {
        const policy = enforce({ onTemporaryError: 'tempfail' }, exceptions);
        expect(decideDisposition(report, session, policy)).toMatchObject({ action: 'accept', code });
      }
    });
  });

  test.each([
    ['no author that can be read', 'nobody', /^DMARC: From cannot be read without doubt \(no-domain\)/],
    ['two From fields', 'a@example.org\r\nFrom: b@example.org', /^DMARC: The message has more than one From field/],
    ['authors of several domains', 'a@example.org, b@example.com', /^DMARC: .*\(example\.org, example\.com\)/],
  ])('does with %s as configured, and says what is wrong', async (_name, from, text) => {
    const report = await reportOf({ from });
    expect(decideDisposition(report, session, enforce()).reply).toMatchObject({ code: 550, enhanced: '5.7.1' });
    expect(decideDisposition(report, session, enforce()).reply?.text).toMatch(text);
    expect(decideDisposition(report, session, enforce({ onAmbiguousAuthor: 'quarantine' })).action).toBe('quarantine');
    expect(decideDisposition(report, session, enforce({ onAmbiguousAuthor: 'accept' }))).toMatchObject({
      action: 'accept',
      code: 'disposition.ambiguous-author',
    });
  });

  test('does with what is above a limit as configured, and says which limit', async () => {
    const options = { mailFrom: 'b@example.org', ip: '198.51.100.1', field: `To: ${'x'.repeat(70_000)}\r\n` };
    const report = await reportOf(options);
    const rejected = decideDisposition(report, session, enforce());
    expect(rejected).toMatchObject({ action: 'reject', code: 'disposition.limit-exceeded' });
    expect(rejected.reply).toMatchObject({ code: 550, enhanced: '5.3.4' });
    expect(rejected.reply?.text).toMatch(/limit maxFieldBytes: 70006, and 65536 is allowed/);
    const ambiguous = { onAmbiguousAuthor: 'accept' as const };
    expect(decideDisposition(report, session, enforce(ambiguous)).action).toBe('reject');
    expect(decideDisposition(report, session, enforce({ onLimitExceeded: 'quarantine' }))).toMatchObject({
      action: 'quarantine',
      reason: expect.stringContaining('maxFieldBytes'),
    });
    expect(decideDisposition(report, session, enforce({ onLimitExceeded: 'accept' })).action).toBe('accept');
    expect(decideDisposition(report, session, defaultInboundPolicy).code).toBe('disposition.annotate');
  });
});

const sealed = async (trust: object, domains = ['b.example', 'a.example']): Promise<AuthenticationReport> => {
  const report = await reportOf({});
  const dmarc = {
    instance: 1,
    sealer: 'a.example',
    authservId: 'a.example',
    result: 'pass',
    headerFrom: 'example.org',
    ...trust,
  };
  return {
    ...report,
    arc: {
      ...report.arc,
      result: 'pass',
      sets: domains.length,
      domains,
      trust: { from: 1, complete: true, dmarc },
    },
  };
};
describe('exceptions, each with the reason that a report gives', () => {
  test('an author domain and what lies below it', async () => {
    const report = await reportOf({ from: 'a@news.example.org' });
    expect(decideDisposition(report, session, enforce({}, { domains: ['example.org'] }))).toMatchObject({
      action: 'accept',
      code: 'disposition.exempt-domain',
      override: 'local_policy',
    });
    expect(decideDisposition(report, session, enforce({}, { domains: ['s.example.org', 'ample.org'] })).action).toBe(
      'reject',
    );
  });

  test('the network of the client', async () => {
    const network = parseNetwork('192.0.2.0/24');
    const policy = enforce({}, { networks: network === null ? [] : [network] });
    const report = await reportOf({});
    expect(decideDisposition(report, session, policy)).toMatchObject({
      code: 'disposition.exempt-network',
      override: 'local_policy',
    });
    expect(decideDisposition(report, { ...session, ip: '198.51.100.7' }, policy).action).toBe('reject');
  });

  test('a mailing list that authenticates itself, not one that is only named', async () => {
    const policy = enforce({}, { mailingLists: ['lists.example'] });
    expect(decideDisposition(await reportOf({ mailFrom: 'l@lists.example' }), session, policy)).toMatchObject({
      code: 'disposition.exempt-mailing-list',
      override: 'mailing_list',
    });
    const forged = await reportOf({ mailFrom: 'l@lists.example', ip: '203.0.113.9' });
    expect(decideDisposition(forged, session, policy).action).toBe('reject');
  });

  describe('a sealer', () => {
    const policy = enforce({}, { sealers: ['a.example', 'b.example'] });

    test('on the list, to whom the message came with a pass', async () => {
      expect(decideDisposition(await sealed({}), session, policy)).toMatchObject({
        code: 'disposition.trusted-sealer',
        override: 'trusted_forwarder',
      });
    });

    test('counts for nothing with a later one that is not on the list, another author, or a fail', async () => {
      const one = enforce({}, { sealers: ['a.example'] });
      expect(decideDisposition(await sealed({}), session, one).action).toBe('reject');
      expect(decideDisposition(await sealed({ headerFrom: 'other.example' }), session, policy).action).toBe('reject');
      expect(decideDisposition(await sealed({ result: 'fail' }), session, policy).action).toBe('reject');
      const broken = await sealed({});
      const arc = { ...broken.arc, result: 'fail' as const };
      expect(decideDisposition({ ...broken, arc }, session, policy).action).toBe('reject');
    });

    test('that is the newest may stand on older ones that nobody knows', async () => {
      const report = await sealed({ instance: 2, sealer: 'b.example' }, ['b.example', 'unknown.example']);
      expect(decideDisposition(report, session, policy).code).toBe('disposition.trusted-sealer');
    });
  });
});
