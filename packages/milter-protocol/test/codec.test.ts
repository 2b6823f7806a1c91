import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, Frame, FrameResult, Reply } from '../src/index.ts';
import { decodeCommand, decodeReply, encodeCommand, encodeFrame, encodeReply } from '../src/index.ts';
import { FrameDecoder, milterLimits } from '../src/index.ts';
import { anyCommand, anyReply } from './arbitraries.ts';
import { bytesOf, latin1 } from './connection.ts';

function frameOf(bytes: Uint8Array): Frame {
  const decoder = new FrameDecoder(() => 1024 * 1024);
  decoder.push(bytes);
  const found = decoder.next();
  if (found?.ok !== true) throw new Error('no frame');
  return found.frame;
}

/** With all bytes as text, whatever kind of array they are in. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return latin1(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function decodedInPieces(bytes: Uint8Array, cuts: readonly number[]): FrameResult[] {
  const decoder = new FrameDecoder(() => 100);
  const results: FrameResult[] = [];
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (let at = 1; at < borders.length; at++) {
    decoder.push(bytes.subarray(borders[at - 1], borders[at]));
    for (let found = decoder.next(); found !== null; found = decoder.next()) {
      results.push(found);
      if (!found.ok) return results;
    }
  }
  return results;
}

describe('milter frames', () => {
  it('are a length that counts the code, the code, and the payload', () => {
    expect(encodeFrame('H', bytesOf('ab\0')).toString('hex')).toBe('0000000448616200');
  });

  it('are the same in chunks of any size', () => {
    const frames = fc.array(fc.tuple(fc.constantFrom('L', 'B', 'E'), fc.uint8Array({ maxLength: 100 })));
    fc.assert(
      fc.property(frames, fc.array(fc.nat()), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(([code, payload]) => encodeFrame(code, payload)));
        const found = decodedInPieces(bytes, cuts).map((one) => one.ok && [one.frame.code, latin1(one.frame.payload)]);
        expect(found).toEqual(frames.map(([code, payload]) => [code, latin1(payload)]));
      }),
    );
  });

  it('come out whole from one octet at a time, a quarter of a megabyte', () => {
    const payload = Buffer.alloc(256 * 1024, 'abc');
    const bytes = encodeFrame('L', payload);
    const decoder = new FrameDecoder(() => payload.length);
    for (let at = 0; at < bytes.length - 1; at++) {
      decoder.push(bytes.subarray(at, at + 1));
      if (decoder.next() !== null) throw new Error('a frame before its end');
    }
    expect(decoder.midFrame).toBe(true);
    decoder.push(bytes.subarray(-1));
    const found = decoder.next();
    expect(found?.ok === true && payload.equals(found.frame.payload)).toBe(true);
    expect(decoder.midFrame).toBe(false);
  });

  it('above their limit are refused as soon as their head is there, and nothing is read behind them', () => {
    const decoder = new FrameDecoder((code) => (code === 'L' ? 10 : 5));
    decoder.push(Buffer.concat([encodeFrame('L', Buffer.alloc(10)), Buffer.from('0000000742', 'hex')]));
    expect(decoder.next()).toMatchObject({ ok: true });
    expect(decoder.next()).toMatchObject({ ok: false, code: 'frame.too-large' });
    decoder.push(encodeFrame('Q', Buffer.alloc(0)));
    expect(decoder.next()).toMatchObject({ ok: false, code: 'frame.too-large' });
  });

  it('of no octets are refused', () => {
    const decoder = new FrameDecoder(() => 10);
    decoder.push(Buffer.alloc(4));
    expect(decoder.next()).toMatchObject({ ok: false, code: 'frame.empty' });
  });
});

describe('commands', () => {
  it.each<[string, Command, string]>([
    [
      'OPTNEG',
      { kind: 'negotiate', version: 6, actions: 0x1ff, protocol: 0x1f_ffff },
      'O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff',
    ],
    ['macros', { kind: 'macros', stage: 'mail', values: [['{auth_authen}', 'ann']] }, 'DM{auth_authen}\0ann\0'],
    ['connect, name unknown', { kind: 'connect', hostname: 'h', client: { family: 'unknown' } }, 'Ch\0U'],
    [
      'connect, IPv4',
      { kind: 'connect', hostname: 'h', client: { family: 'ipv4', address: '192.0.2.1', port: 25 } },
      'Ch\x004\0\x19192.0.2.1\0',
    ],
    [
      'connect, IPv6',
      { kind: 'connect', hostname: 'h', client: { family: 'ipv6', address: '2001:db8::1', port: 258 } },
      'Ch\x006\x01\x022001:db8::1\0',
    ],
    [
      'connect, local',
      { kind: 'connect', hostname: 'h', client: { family: 'unix', address: '/s', port: 0 } },
      'Ch\0L\0\0/s\0',
    ],
    ['HELO', { kind: 'helo', name: 'h' }, 'Hh\0'],
    [
      'MAIL',
      { kind: 'mail', address: '<a@b>', parameters: ['SIZE=1', 'BODY=8BITMIME'] },
      'M<a@b>\0SIZE=1\0BODY=8BITMIME\0',
    ],
    ['RCPT', { kind: 'recipient', address: '<a@b>', parameters: [] }, 'R<a@b>\0'],
    ['DATA', { kind: 'data' }, 'T'],
    ['header', { kind: 'header', name: bytesOf('A'), value: bytesOf('\tb\n c') }, 'LA\0\tb\n c\0'],
    ['EOH', { kind: 'end-of-header' }, 'N'],
    ['body', { kind: 'body', chunk: bytesOf('a\0b\r\n') }, 'Ba\0b\r\n'],
    ['EOB', { kind: 'end-of-message', chunk: bytesOf('') }, 'E'],
    ['ABORT', { kind: 'abort' }, 'A'],
    ['UNKNOWN', { kind: 'unknown', line: 'XYZ' }, 'UXYZ\0'],
    ['QUIT', { kind: 'quit' }, 'Q'],
    ['QUIT_NC', { kind: 'quit-keeping-connection' }, 'K'],
  ])('%s', (_name, command, expected) => {
    const bytes = encodeCommand(command);
    expect(latin1(bytes.subarray(4))).toBe(expected);
  });

  it('survive the way there', () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        const decoded = decodeCommand(frameOf(encodeCommand(command)));
        expect(decoded.ok && plain(decoded.command)).toEqual(plain(command));
      }),
    );
  });

  it('lose the IPv6: that Sendmail puts before an address', () => {
    const decoded = decodeCommand({ code: 'C', payload: bytesOf('h\x006\0\x19IPv6:2001:db8::1\0') });
    expect(decoded.ok && decoded.command).toMatchObject({ client: { address: '2001:db8::1' } });
  });

  it.each([
    ['a text without NUL', 'H', 'abc'],
    ['octets behind a text', 'H', 'abc\0d'],
    ['a header without value', 'L', 'A\0'],
    ['a header of three texts', 'L', 'A\0b\0c\0'],
    ['an offer cut short', 'O', '\0\0\0\x06\0'],
    ['an empty MAIL', 'M', ''],
    ['a macro without value', 'D', 'Ma\0'],
    ['macros of no stage', 'D', 'Xa\0b\0'],
    ['a family that is none', 'C', 'h\0X'],
    ['a property of every object as family', 'C', 'h\0t\0\0a\0'],
    ['an address without port', 'C', 'h\x004'],
    ['a DATA with payload', 'T', 'x'],
    ['a QUIT with payload', 'Q', 'x'],
  ])('with %s are malformed', (_what, code, payload) => {
    expect(decodeCommand({ code, payload: bytesOf(payload) })).toMatchObject({ ok: false, code: 'command.malformed' });
  });

  it('of too many macros or parameters are malformed, and one within the limits is not', () => {
    const limits = { ...milterLimits, maxMacros: 2, maxParameters: 1 };
    const read = (code: string, payload: string) => decodeCommand({ code, payload: bytesOf(payload) }, limits).ok;
    expect(read('D', 'Ma\0b\0c\0d\0')).toBe(true);
    expect(read('D', 'Ma\0b\0c\0d\0e\0f\0')).toBe(false);
    expect(read('M', '<>\0A\0')).toBe(true);
    expect(read('M', '<>\0A\0B\0')).toBe(false);
  });

  it('and replies made of garbage are results, whatever they are', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 50 }), (code, payload) => {
        const frame = { code: String.fromCharCode(code), payload };
        expect(decodeCommand(frame).ok).toBeTypeOf('boolean');
        expect(decodeReply(frame).ok).toBeTypeOf('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  it('with a NUL in a text or field are the mistake of the caller', () => {
    expect(() => encodeCommand({ kind: 'helo', name: 'a\0b' })).toThrow(/NUL/);
    expect(() => encodeCommand({ kind: 'header', name: bytesOf('a'), value: bytesOf('b\0') })).toThrow(/NUL/);
  });
});

describe('replies', () => {
  it.each<[Reply, string]>([
    [{ kind: 'continue' }, 'c'],
    [{ kind: 'accept' }, 'a'],
    [{ kind: 'discard' }, 'd'],
    [{ kind: 'reject' }, 'r'],
    [{ kind: 'tempfail' }, 't'],
    [{ kind: 'connection-failure' }, 'f'],
    [{ kind: 'shutdown' }, '4'],
    [{ kind: 'skip' }, 's'],
    [{ kind: 'progress' }, 'p'],
    [{ kind: 'reply-code', code: 550, enhanced: '5.7.1', text: '100% no' }, 'y550 5.7.1 100%% no\0'],
    [{ kind: 'reply-code', code: 451, enhanced: null, text: 'later' }, 'y451 later\0'],
    [{ kind: 'reply-code', code: 550, enhanced: '5.7.1', text: 'a\nb' }, 'y550-5.7.1 a\r\n550 5.7.1 b\0'],
    [{ kind: 'add-header', name: bytesOf('A'), value: bytesOf(' b') }, 'hA\0 b\0'],
    [{ kind: 'insert-header', index: 1, name: bytesOf('A'), value: bytesOf(' b') }, 'i\0\0\0\x01A\0 b\0'],
    [{ kind: 'change-header', index: 3, name: bytesOf('A'), value: bytesOf('') }, 'm\0\0\0\x03A\0\0'],
    [{ kind: 'replace-body', chunk: bytesOf('x\r\n') }, 'bx\r\n'],
    [{ kind: 'change-sender', address: '<a@b>', parameters: '' }, 'e<a@b>\0'],
    [{ kind: 'add-recipient', address: '<a@b>' }, '+<a@b>\0'],
    [{ kind: 'add-recipient-with-parameters', address: '<a@b>', parameters: 'NOTIFY=NEVER' }, '2<a@b>\0NOTIFY=NEVER\0'],
    [{ kind: 'delete-recipient', address: '<a@b>' }, '-<a@b>\0'],
    [{ kind: 'quarantine', reason: 'why' }, 'qwhy\0'],
    [
      { kind: 'negotiate', version: 6, actions: 1, protocol: 0, macros: [{ stage: 'mail', names: ['i', '{x}'] }] },
      'O\0\0\0\x06\0\0\0\x01\0\0\0\0\0\0\0\x02i {x}\0',
    ],
  ])('$kind', (reply, expected) => {
    expect(latin1(encodeReply(reply).subarray(4))).toBe(expected);
  });

  it('survive the way back', () => {
    fc.assert(
      fc.property(anyReply, (reply) => {
        const decoded = decodeReply(frameOf(encodeReply(reply)));
        expect(decoded.ok && plain(decoded.reply)).toEqual(plain(reply));
      }),
    );
  });

  it.each([
    ['a code that is no refusal', { code: 250, enhanced: null, text: 'ok' }],
    ['an enhanced code of another class', { code: 550, enhanced: '4.7.1', text: 'no' }],
    ['an enhanced code that is none', { code: 550, enhanced: '5.7', text: 'no' }],
    ['a CR in its text', { code: 550, enhanced: null, text: 'no\r250 yes' }],
    ['a line too long', { code: 550, enhanced: null, text: 'x'.repeat(501) }],
  ])('with %s are the mistake of the caller', (_what, fields) => {
    expect(() => encodeReply({ kind: 'reply-code', ...fields })).toThrow(
      expect.objectContaining({ code: 'milter.not-encodable' }),
    );
  });
});
