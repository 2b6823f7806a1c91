import { describe, expect, test } from 'vitest';
import { createLoginMap, findSubmitter, noLoginMap, parseNetwork } from '../src/index.ts';
import type { LoginMap, MailSession, SubmitterPolicy } from '../src/index.ts';

const networks = ['192.0.2.0/24', '192.0.0.0/8'].map((text, index) => {
  const network = parseNetwork(text);
  if (network === null) throw new Error(text);
  return { network, domains: [`net${index}.example`] };
});

const found = async (
  session: Omit<MailSession, 'listenerMode'>,
  logins: LoginMap = noLoginMap,
  direction: 'outbound' | 'inbound' = 'outbound',
) => {
  const policy: SubmitterPolicy = { logins, networks };
  const { code, maySignAs } = await findSubmitter({ listenerMode: 'both', ...session }, direction, policy);
  return [code, ...maySignAs];
};

describe('DESIGN: who may sign as whom', () => {
  test('a login signs as its own address unless a map knows it', async () => {
    expect(await found({ login: 'ann@example.org' })).toEqual(['submitter.own-address', 'ann@example.org']);
    expect(await found({ login: 'ann' })).toEqual(['submitter.unmapped-login']);
    const logins = createLoginMap({ 'ann@example.org': ['example.net'], ann: [] });
    expect(await found({ login: 'Ann@Example.ORG' }, logins)).toEqual(['submitter.login-map', 'example.net']);
    expect(await found({ login: 'ann' }, logins)).toEqual(['submitter.login-map']);
  });

  test('a login has nothing from the network it comes from', async () => {
    expect(await found({ login: 'ann', ip: '192.0.2.1' })).toEqual(['submitter.unmapped-login']);
  });

  test('a network signs for the domains it lists, the first network that fits', async () => {
    expect(await found({ ip: '192.0.2.1' })).toEqual(['submitter.network', 'net0.example']);
    expect(await found({ ip: '192.1.1.1', login: '' })).toEqual(['submitter.network', 'net1.example']);
    expect(await found({ ip: '203.0.113.1' })).toEqual(['submitter.unknown']);
    expect(await found({})).toEqual(['submitter.unknown']);
  });

  test('inbound mail is signed by nobody', async () => {
    expect(await found({ login: 'ann@example.org' }, noLoginMap, 'inbound')).toEqual(['submitter.inbound']);
  });

  test('a lost map is a loss, not an answer', async () => {
    const lost: LoginMap = { entriesOf: () => Promise.reject(new Error('no directory')) };
    await expect(found({ login: 'ann@example.org' }, lost)).rejects.toThrow('no directory');
  });

  test('the explanation names no login', async () => {
    const submitter = await findSubmitter({ listenerMode: 'sign', login: 'ann@example.org' }, 'outbound', {
      logins: noLoginMap,
      networks: [],
    });
    expect(submitter.explanation).not.toContain('ann');
  });
});

describe('a map of logins', () => {
  const logins = createLoginMap({ ann: ['a.example'], '*@example.org': ['b.example'], '*': ['c.example'] });

  test.each([
    ['ANN', 'a.example'],
    ['bob@EXAMPLE.org', 'b.example'],
    ['bob@sub.example.org', 'c.example'],
    ['bob', 'c.example'],
  ])('%s: itself, everyone at its domain, everyone: %s', async (login, author) => {
    expect(await logins.entriesOf(login)).toEqual([author]);
  });

  test('compares in US-ASCII alone: the Kelvin sign is no k', async () => {
    expect(await createLoginMap({ k: ['a.example'] }).entriesOf('\u212A')).toBeNull();
    expect(await createLoginMap({ constructor: [] }).entriesOf('toString')).toBeNull();
  });
});
