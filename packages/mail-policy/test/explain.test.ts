import { generateKeyPairSync } from 'node:crypto';
import { createSigningKey } from '@zegel/dkim';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createKeySet,
  createLoginMap,
  createSigningTable,
  defaultInboundPolicy,
  defaultRefusalPolicy,
  explainMail,
  parseNetwork,
} from '../src/index.ts';
import type { MailExplanation, MailRules, MailSession } from '../src/index.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const network = parseNetwork('127.0.0.0/8');
const local = network === null ? [] : [network];

const rules: MailRules = {
  outbound: { daemonNames: [], internalNetworks: local },
  submitters: {
    logins: createLoginMap({ ann: ['ann@example.org'] }),
    networks: local.map((one) => ({ network: one, domains: ['example.org'] })),
  },
  signing: {
    keySource: createKeySet([createSigningKey({ domain: 'example.org', selector: 's', privateKey })]),
    table: createSigningTable({ rules: [{ author: '*.example.org', domain: 'example.org' }] }),
  },
  onRefusal: defaultRefusalPolicy,
  inbound: { ...defaultInboundPolicy, policy: 'enforce' },
};

const explain = (session: Omit<MailSession, 'listenerMode'>, from: string): Promise<MailExplanation> =>
  explainMail({ listenerMode: 'both', ...session }, from, rules);

describe('what would become of a message', () => {
  test('that may be signed: direction, submitter, rule, domain and keys', async () => {
    expect(await explain({ ip: '127.0.0.1' }, 'News <n@news.example.org>')).toMatchObject({
      direction: { direction: 'outbound', code: 'flow.internal-network' },
      decision: {
        outcome: 'signed',
        submitter: 'submitter.network',
        code: 'signing.signed',
        authorDomain: 'news.example.org',
        rule: '*.example.org',
        domain: 'example.org',
        keys: 's (ed25519-sha256)',
      },
      refusal: null,
    });
  });

  test('that may not: how it is refused', async () => {
    expect(await explain({ login: 'ann' }, 'bob@example.org')).toMatchObject({
      decision: {
        outcome: 'rejected',
        code: 'signing.not-permitted',
        group: 'notPermitted',
        refusal: 'refusal.reject',
      },
      refusal: { reply: { code: 550, enhanced: '5.7.1' } },
    });
  });

  test('that comes in: by what DMARC may say', async () => {
    expect(await explain({ ip: '192.0.2.1' }, 'a@other.example')).toMatchObject({
      direction: { code: 'flow.none' },
      dispositions: {
        ifPass: { action: 'accept' },
        ifQuarantine: { action: 'quarantine' },
        ifReject: { action: 'reject' },
        ifTemporaryError: { action: 'accept' },
      },
    });
  });

  test('the decision holds no login and no local part, and anything may stand in From', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (from) => {
        const told = await explain({ login: 'secret-login' }, from);
        expect(JSON.stringify('decision' in told ? told.decision : null)).not.toContain('secret-login');
      }),
    );
    const told = await explain({ login: 'ann' }, 'ann@example.org');
    expect(JSON.stringify('decision' in told ? told.decision : null)).not.toContain('ann');
  });
});
