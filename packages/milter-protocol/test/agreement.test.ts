import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, featureBits, fullOffer, isWithinOffer, MacroTable, negotiate, readAgreement } from '../src/index.ts';
import { leaveOutBits, silentBits } from '../src/index.ts';
import type { Action, Command, FilterWishes, SessionState, Step } from '../src/index.ts';

const everyStep: Step[] = [
  'connect',
  'helo',
  'mail',
  'recipient',
  'data',
  'unknown',
  'header',
  'end-of-header',
  'body',
];
const everyAction: Action[] = ['add-header', 'change-header', 'change-body', 'quarantine', 'set-macros'];
const uint32 = fc.nat({ max: 0xffff_ffff });

describe('the negotiation', () => {
  it('never goes beyond the offer, whatever is wished', () => {
    const wishes = fc.record({
      actions: fc.subarray(everyAction),
      leaveOut: fc.subarray(everyStep),
      silent: fc.subarray(everyStep),
      rejectedRecipients: fc.boolean(),
      bodyKiB: fc.constantFrom<(64 | 256 | 1024)[]>(64, 256, 1024),
      macros: fc.constant([{ stage: 'mail', names: ['i'] } as const]),
    });
    fc.assert(
      fc.property(uint32, uint32, uint32, wishes, (version, actions, protocol, wishes) => {
        const offer = { version, actions, protocol };
        const result = negotiate(offer, wishes);
        if (!result.ok) return;
        expect(isWithinOffer(result.answer, offer)).toBe(true);
        expect(result.answer.version).toBeLessThanOrEqual(6);
        expect(result.answer.macros.length > 0).toBe((result.answer.actions & 0x100) !== 0 && (actions & 0x100) !== 0);
      }),
    );
  });

  it('asks for the leading space and skip wherever they are offered, and for the silence that is wished', () => {
    const wishes: FilterWishes = { actions: ['add-header'], silent: ['header', 'body'], leaveOut: ['unknown'] };
    const result = negotiate({ version: 6, actions: 0x1ff, protocol: 0x1f_ffff }, wishes);
    const { leadingSpace, skip } = featureBits;
    const protocol = leadingSpace | skip | silentBits.header | silentBits.body | leaveOutBits.unknown;
    expect(result).toMatchObject({ ok: true, answer: { version: 6, actions: 0x1, protocol } });
  });

  it('takes an older MTA without them', () => {
    const result = negotiate(
      { version: 2, actions: 0x3f, protocol: 0x7f },
      { actions: ['add-header'], silent: everyStep },
    );
    expect(result).toMatchObject({ ok: true, answer: { version: 2, actions: 0x1, protocol: 0 } });
  });

  it('takes what it can do without where it is offered', () => {
    const wishes: FilterWishes = { actions: ['add-header'], optionalActions: ['quarantine'] };
    expect(negotiate({ ...fullOffer, actions: 0x1 }, wishes)).toMatchObject({ ok: true, answer: { actions: 0x1 } });
    expect(negotiate(fullOffer, wishes)).toMatchObject({ ok: true, answer: { actions: 0x21 } });
  });

  it('refuses an MTA that does not let it do its work, or that is too old', () => {
    const wishes: FilterWishes = { actions: ['add-header', 'change-header'] };
    expect(negotiate({ ...fullOffer, actions: 0x1 }, wishes)).toMatchObject({
      ok: false,
      code: 'negotiation.actions',
      explanation: 'the MTA does not offer change-header',
    });
    expect(negotiate({ ...fullOffer, version: 1 }, wishes)).toMatchObject({ ok: false, code: 'negotiation.version' });
  });

  it.each([
    [64, 0x3000_0000, 65_535],
    [256, 0x3000_0000, 262_143],
    [1024, 0x3000_0000, 1_048_575],
    [1024, 0x1000_0000, 262_143],
    [1024, 0, 65_535],
  ] as const)('with %i KiB wished and bits %i offered gives body chunks of %i', (bodyKiB, protocol, expected) => {
    const result = negotiate({ version: 6, actions: 0, protocol }, { actions: [], bodyKiB });
    expect(result.ok && readAgreement(result.answer).maxBodyBytes).toBe(expected);
  });
});

describe('macros', () => {
  it('of a stage replace those it said earlier, and the latest stage counts', () => {
    const macros = new MacroTable();
    macros.set('connect', [
      ['j', 'mx'],
      ['{daemon_name}', 'smtp'],
    ]);
    macros.set('mail', [
      ['{auth_authen}', 'ann'],
      ['{daemon_name}', 'submission'],
    ]);
    expect(macros.get('auth_authen')).toBe('ann');
    expect(macros.get('{daemon_name}')).toBe('submission');
    macros.set('mail', [['i', 'QUEUE1']]);
    expect(macros.get('{auth_authen}')).toBeNull();
    expect(macros.get('daemon_name')).toBe('smtp');
    expect(macros.get('{i}')).toBe('QUEUE1');
  });

  it('of a message go with it, and those of the session stay', () => {
    const macros = new MacroTable();
    macros.set('helo', [['{tls_version}', 'TLSv1.3']]);
    macros.set('end-of-message', [['i', 'QUEUE1']]);
    macros.endMessage();
    expect(macros.get('i')).toBeNull();
    expect(macros.get('{tls_version}')).toBe('TLSv1.3');
  });
});

describe('the order of commands', () => {
  const agreed = readAgreement({ version: 6, actions: 0, protocol: 0 });
  const run = (kinds: readonly Command['kind'][], agreement = agreed): SessionState | null => {
    let state: SessionState | null = 'negotiated';
    for (const kind of kinds) state = state === null ? null : advance(state, kind, agreement);
    return state;
  };

  it.each<[string, Command['kind'][], SessionState]>([
    [
      'a whole message',
      ['connect', 'helo', 'mail', 'recipient', 'data', 'header', 'end-of-header', 'body', 'end-of-message'],
      'ready',
    ],
    ['a message without header or body', ['connect', 'mail', 'recipient', 'end-of-header', 'end-of-message'], 'ready'],
    ['HELO said twice', ['connect', 'helo', 'helo'], 'ready'],
    ['aborts where there is nothing to abort', ['abort', 'connect', 'abort', 'abort'], 'ready'],
    ['an abort in the header', ['connect', 'mail', 'header', 'abort'], 'ready'],
    ['a new session on the same connection', ['connect', 'mail', 'quit-keeping-connection', 'connect'], 'ready'],
    ['macros anywhere', ['macros', 'connect', 'macros', 'mail', 'macros', 'header', 'macros'], 'header'],
    ['an unknown command in the envelope', ['connect', 'mail', 'unknown', 'recipient'], 'envelope'],
  ])('takes %s', (_what, kinds, state) => {
    expect(run(kinds)).toBe(state);
  });

  it.each<[string, Command['kind'][]]>([
    ['a second negotiation', ['negotiate']],
    ['HELO before connect', ['helo']],
    ['connect twice', ['connect', 'connect']],
    ['a recipient before the sender', ['connect', 'recipient']],
    ['a second sender in a message', ['connect', 'mail', 'mail']],
    ['a recipient behind DATA', ['connect', 'mail', 'data', 'recipient']],
    ['a header behind its end', ['connect', 'mail', 'end-of-header', 'header']],
    ['body before the end of the header', ['connect', 'mail', 'header', 'body']],
    ['the end of no message', ['connect', 'end-of-message']],
    ['HELO inside a message', ['connect', 'mail', 'helo']],
    ['an unknown command in the content', ['connect', 'mail', 'header', 'unknown']],
    ['anything behind QUIT', ['connect', 'quit', 'macros']],
  ])('refuses %s', (_what, kinds) => {
    expect(run(kinds)).toBeNull();
  });

  it('lets steps be missing that were left out by agreement', () => {
    const protocol = everyStep.reduce((all, step) => all | leaveOutBits[step], 0);
    expect(run(['end-of-message', 'end-of-message'], readAgreement({ version: 6, actions: 0, protocol }))).toBe(
      'ready',
    );
    const noSender = readAgreement({ version: 6, actions: 0, protocol: leaveOutBits.mail });
    expect(run(['connect', 'recipient', 'header', 'end-of-header', 'body'], noSender)).toBe('body');
    expect(run(['recipient'], noSender)).toBeNull();
  });

  it('takes nothing but an offer, or a farewell, at first', () => {
    expect(advance('opened', 'negotiate', null)).toBe('negotiated');
    expect(advance('opened', 'quit', null)).toBe('closed');
    expect(advance('opened', 'abort', null)).toBeNull();
    expect(advance('opened', 'connect', null)).toBeNull();
  });
});
