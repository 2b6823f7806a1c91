import { array, assert, constantFrom, nat, property, tuple, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelOf, frame, splitFrames, statementOf, subscriptionOf } from '../src/wire.ts';

describe('frames of protocol 3.0', () => {
  test('are the same however the bytes are cut', () => {
    const sent = array(tuple(constantFrom('Q', 'P', 'S', 'Z'), uint8Array({ maxLength: 40 })));
    assert(
      property(sent, nat(), (parts, cut) => {
        const frames = parts.map(([type, body]) => frame(type, Buffer.from(body)));
        const bytes = Buffer.concat(frames);
        const at = bytes.length === 0 ? 0 : cut % bytes.length;
        const first = splitFrames(bytes.subarray(0, at));
        const second = splitFrames(bytes.subarray(first.taken));
        expect([...first.frames, ...second.frames].map((found) => found.bytes)).toEqual(frames);
        expect(first.taken + second.taken).toBe(bytes.length);
      }),
    );
  });

  test('say how many bytes the next one needs', () => {
    const whole = frame('Q', 'select 1');
    expect(splitFrames(whole.subarray(0, 7))).toMatchObject({ taken: 0, needed: whole.length });
    expect(splitFrames(whole.subarray(0, 3))).toMatchObject({ taken: 0, needed: 5 });
  });

  test('carry a statement in Query and Parse, and a channel in NotificationResponse', () => {
    expect(statementOf({ type: 'Q', bytes: frame('Q', 'select 1') })).toBe('select 1');
    expect(statementOf({ type: 'P', bytes: frame('P', 'name', 'select 2', Buffer.alloc(2)) })).toBe('select 2');
    expect(statementOf({ type: 'S', bytes: frame('S') })).toBeNull();
    expect(channelOf({ type: 'A', bytes: frame('A', Buffer.alloc(4), 'jobs', 'payload') })).toBe('jobs');
  });
});

describe('subscriptions', () => {
  test.each([
    ['LISTEN jobs', { verb: 'listen', channel: 'jobs' }],
    ['-- a comment\n/* and * another */ listen Jobs;', { verb: 'listen', channel: 'jobs' }],
    ['LISTEN "Jobs ""x"""', { verb: 'listen', channel: 'Jobs "x"' }],
    ['UNLISTEN jobs', { verb: 'unlisten', channel: 'jobs' }],
    ['unlisten *', { verb: 'unlisten-all' }],
    ['DISCARD ALL', { verb: 'unlisten-all' }],
    ['LISTEN *', null],
    ['select 1 -- LISTEN jobs', null],
    ['-- LISTEN jobs', null],
    ['/* never closed', null],
  ])('%j', (statement, expected) => {
    expect(subscriptionOf(statement)).toEqual(expected);
  });

  test('are found in linear time', () => {
    const comments = `${'-- \n/* ** */ '.repeat(50_000)}/*${'*'.repeat(100_000)}`;
    expect(subscriptionOf(comments)).toBeNull();
  });
});
