import { sign, signingCodes } from '@zegel/signing';
import type { SigningCode, SigningResult } from '@zegel/signing';
import { noEdits } from '@zegel/message';
import { describe, expect, test } from 'vitest';
import { defaultRefusalPolicy, onRefusal, refusalGroups } from '../src/index.ts';
import type { RefusalAction, RefusalGroup } from '../src/index.ts';

const refused = (code: SigningCode): SigningResult => ({
  result: 'refused',
  code,
  explanation: 'It is so.',
  signatures: [],
  edits: noEdits,
  evidence: {},
});

const decided = (code: SigningCode, policy: Partial<Record<RefusalGroup, RefusalAction>> = {}) => {
  const decision = onRefusal(refused(code), { ...defaultRefusalPolicy, ...policy });
  if (decision === null) throw new Error('taken for signed');
  return decision;
};

describe('a message that is not signed', () => {
  test.each<[SigningCode, RefusalGroup, string, number, string]>([
    ['signing.no-active-key', 'missingKey', 'tempfail', 451, '4.7.5'],
    ['message.several-from', 'ambiguousAuthor', 'reject', 550, '5.6.0'],
    ['message.repeated-field', 'refusedHeader', 'reject', 550, '5.6.0'],
    ['message.limit-exceeded', 'refusedHeader', 'reject', 550, '5.3.4'],
    ['signing.not-permitted', 'notPermitted', 'reject', 550, '5.7.1'],
  ])('%s: %s, by default %s with %i %s', (code, group, action, reply, enhanced) => {
    expect(decided(code)).toMatchObject({ group, action, reply: { code: reply, enhanced, text: 'It is so.' } });
  });

  test('every refusal of sign() has a group, and what is signed has none', () => {
    const codes = Object.entries(signingCodes).filter(([, { result }]) => result === 'refused');
    expect(Object.keys(refusalGroups).toSorted()).toEqual(codes.map(([code]) => code).toSorted());
    expect(onRefusal(refused('signing.signed'), defaultRefusalPolicy)).toBeNull();
    expect(onRefusal(refused('signing.signed-other-domain'), defaultRefusalPolicy)).toBeNull();
  });

  test('is sent unsigned only where that is configured', () => {
    expect(Object.values(defaultRefusalPolicy)).not.toContain('send-unsigned');
    const decision = decided('signing.unknown-domain', { missingKey: 'send-unsigned' });
    expect(decision).toMatchObject({ action: 'send-unsigned', code: 'refusal.send-unsigned' });
    expect(decision).not.toHaveProperty('reply');
    expect(decision.explanation).toContain('onRefusal.missingKey: send-unsigned');
  });

  test('what cannot be signed even so gets the default of its group', () => {
    expect(decided('message.bare-line-ends', { refusedHeader: 'sign-anyway' })).toMatchObject({
      action: 'reject',
      code: 'refusal.cannot-sign-anyway',
    });
    expect(decided('signing.unknown-domain', { missingKey: 'sign-anyway' }).action).toBe('tempfail');
  });

  test('the reply is one line of printable US-ASCII, whatever stands in the message', async () => {
    const raw = Buffer.from(`From: a@${'x'.repeat(60)}.example\r\n\r\n`);
    const keySource = { activeKeys: async () => null };
    const result = await sign(raw, {}, { keySource });
    const explanation = `${result.explanation}\r\n250 ok é${'y'.repeat(1000)}`;
    const decision = onRefusal({ ...result, explanation }, defaultRefusalPolicy);
    expect(decision?.reply?.text).toMatch(/^[ -~]{1,400}$/);
  });
});
