import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createLogger, requestId } from '../src/index.ts';
import { redactLine } from '../src/redact.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let out = '';
  const stream = { write: (line: string) => void (out += line) };
  write(createLogger({ service: 'test', level: 'info', stream }));
  return out;
}

describe('createLogger', () => {
  test('one JSON object a line, with level by name, time and service', () => {
    const line = JSON.parse(logged((logger) => logger.info({ domain: 'example.org' }, 'signed')));
    expect(line).toMatchObject({ level: 'info', service: 'test', domain: 'example.org', msg: 'signed' });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  test('the time of each line is its own, to the millisecond', () => {
    using clock = vi.spyOn(Date, 'now');
    const times = ['2026-11-26T23:59:59.007Z', '2026-11-26T23:59:59.999Z', '2026-11-27T00:00:00.000Z'];
    const lines = logged((logger) => {
      for (const time of times) {
        clock.mockReturnValue(Date.parse(time));
        logger.info('x');
      }
    });
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).time),
    ).toEqual(times);
  });

  test.each<[string, object]>([
    ['a token', { note: 'used zgl_abcDEF-123_456 here' }],
    ['a bearer credential', { header: 'Bearer abcdef123' }],
    ['a property that names a secret', { request: { headers: { authorization: 'abcdef123' } } }],
    ['a token behind a line feed', { note: 'it is\nzgl_abcDEF-123_456' }],
    ['text of a property that names a secret, at any depth', { a: { b: { c: [{ Authorization: 'x"\\abcdef123' }] } } }],
    ['a local part behind a line feed', { note: 'sent\nabcdef123@example.org' }],
    ['a private key', { note: '-----BEGIN PRIVATE KEY-----\nabcdef123\n-----END PRIVATE KEY-----\n' }],
    ['a password in a URL', { url: 'redis://user:abcdef123@redis:6379/0' }],
    ['a query string', { url: '/v1/verify?mailFrom=abcdef123&ip=192.0.2.1' }],
    ['a local part', { from: 'abcdef123@example.org' }],
    ['a local part in a message', { note: 'no user <abcdef123@example.org> here' }],
    ['bytes of a message', { raw: Buffer.from('abcdef123') }],
    ['bytes of a message, at any depth', { a: { b: { c: [{ Raw: Buffer.from('abcdef123') }] } } }],
    ['what hangs on an error', { err: Object.assign(new Error('x'), { token: { parts: ['abcdef123'] } }) }],
  ])('%s is taken out', (_, fields) => {
    const line = logged((logger) => logger.info(fields, 'x'));
    expect(line).not.toMatch(/abcdef123|abcDEF-123|97,98,99/);
    expect(() => JSON.parse(line)).not.toThrow();
  });

  test('what a logger was bound to is no exception', () => {
    const line = logged((logger) => logger.child({ password: 'abcdef123', query: ['abcdef123'] }).info('x'));
    expect(JSON.parse(line)).toMatchObject({ password: '[redacted]', query: '[redacted]', msg: 'x' });
  });

  test('what stands beside a secret stays, and the line is one', () => {
    const line = logged((logger) => logger.info({ token: 1, domain: 'example.org', note: '"body":' }, 'x'));
    expect(JSON.parse(line)).toMatchObject({ token: '[redacted]', domain: 'example.org', note: '"body":', msg: 'x' });
    expect(line.match(/\n/g)).toEqual(['\n']);
  });

  test('what says where a failure lies stays', () => {
    const line = logged((logger) => logger.info({ url: 'redis://u:p@redis:6379/0', from: 'a@example.org' }, 'x'));
    expect(line).toContain('redis:6379/0');
    expect(line).toContain('@example.org');
  });

  test('a line stays JSON whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (a, b) => {
        const line = redactLine(JSON.stringify({ msg: `${a}@${b}?x=${a} zgl_${b}`, [b]: a }));
        expect(() => JSON.parse(line)).not.toThrow();
      }),
    );
  });
});

describe('requestId', () => {
  test('keeps a well-formed id of the caller', () => {
    expect(requestId('req-1.a_B')).toBe('req-1.a_B');
  });

  test.each([undefined, '', 'a b', 'a\nb', '-x', 'a'.repeat(65)])('makes one instead of %j', (given) => {
    expect(requestId(given)).toMatch(/^[0-9a-f-]{36}$/);
  });
});
