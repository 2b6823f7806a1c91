import { describe, expect, test } from 'vitest';
import { decideDirection, parseNetwork } from '../src/index.ts';
import type { MailSession, OutboundPolicy } from '../src/index.ts';

const network = (text: string) => {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(text);
  return parsed;
};

const policy: OutboundPolicy = {
  daemonNames: ['ORIGINATING'],
  internalNetworks: [network('127.0.0.0/8'), network('2001:db8::/32')],
};

const decided = (session: Omit<MailSession, 'listenerMode'>, listenerMode: MailSession['listenerMode'] = 'both') => {
  const { direction, code } = decideDirection({ listenerMode, ...session }, policy);
  return [direction, code];
};

describe('which mail is outbound', () => {
  test('what comes through a listener for one direction', () => {
    expect(decided({ ip: '203.0.113.1' }, 'sign')).toEqual(['outbound', 'flow.listener']);
    expect(decided({ login: 'ann', ip: '127.0.0.1' }, 'verify')).toEqual(['inbound', 'flow.listener']);
  });

  test('a login goes before the daemon name, and this before the network', () => {
    const all = { login: 'ann', daemonName: 'ORIGINATING', ip: '127.0.0.1' };
    expect(decided(all)).toEqual(['outbound', 'flow.login']);
    expect(decided({ ...all, login: '' })).toEqual(['outbound', 'flow.daemon-name']);
    expect(decided({ ...all, login: '', daemonName: 'smtpd' })).toEqual(['outbound', 'flow.internal-network']);
  });

  test.each([
    ['127.1.2.3', 'outbound'],
    ['::ffff:127.0.0.1', 'outbound'],
    ['2001:DB8:1::1', 'outbound'],
    ['128.0.0.1', 'inbound'],
    ['2001:db9::1', 'inbound'],
    ['unix', 'inbound'],
    ['', 'inbound'],
  ])('a client at %s: %s', (ip, direction) => {
    expect(decided({ ip })[0]).toBe(direction);
  });

  test('a daemon name is compared exactly, and nothing at all is inbound', () => {
    expect(decided({ daemonName: 'originating' })).toEqual(['inbound', 'flow.none']);
    expect(decided({})).toEqual(['inbound', 'flow.none']);
  });
});

describe('a network', () => {
  test.each([
    ['192.0.2.0/24', 24],
    ['192.0.2.77/24', 24],
    ['192.0.2.1', 32],
    ['2001:db8::1', 128],
    ['::/0', 0],
    ['::ffff:192.0.2.0/120', 24],
  ])('%s', (text, prefixLength) => {
    expect(parseNetwork(text)).toMatchObject({ prefixLength });
  });

  test.each([
    '',
    '/8',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/08',
    '192.0.2/24',
    '2001:db8::/129',
    'localhost',
    '::ffff:192.0.2.0/24',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeNull();
  });
});
