import { describe, expect, it } from 'vitest';
import {
  applyEdits,
  everyField,
  exceededLimit,
  fieldsNamed,
  messageLimits,
  parseHeader,
  readAuthor,
} from '../src/index.ts';

const header = (text: string) => parseHeader(Buffer.from(text));

describe('limits of a header', () => {
  it('are met by what is exactly as large as allowed', () => {
    const limits = { ...messageLimits, maxHeaderFields: 2, maxHeaderBytes: 12, maxFieldBytes: 6 };
    expect(exceededLimit(header('A: b\r\nC: d\r\n'), limits)).toBeNull();
  });

  it.each([
    [{ maxHeaderFields: 1 }, { limit: 'maxHeaderFields', allowed: 1, found: 2 }],
    [{ maxHeaderBytes: 11 }, { limit: 'maxHeaderBytes', allowed: 11, found: 12 }],
    [{ maxFieldBytes: 5 }, { limit: 'maxFieldBytes', allowed: 5, found: 6 }],
  ])('say which one is exceeded: %j', (limits, expected) => {
    expect(exceededLimit(header('A: b\r\nC: d\r\n'), { ...messageLimits, ...limits })).toEqual(expected);
  });
});

describe('a header of more fields than are listed', () => {
  const listed = 200_000;
  const from = 'From: a@example.org\r\n';
  const large = header(`${from}${'a:\r\n'.repeat(listed)}X: y\r\n${from}`);

  it('is above the limit, however high that is', () => {
    expect(large.fields).toHaveLength(listed);
    const limits = { ...messageLimits, maxHeaderFields: Infinity, maxHeaderBytes: Infinity };
    expect(exceededLimit(large, limits)).toEqual({ limit: 'maxHeaderFields', allowed: listed, found: listed + 1 });
    expect(exceededLimit(header('a:\r\n'.repeat(listed)), limits)).toBeNull();
  });

  it('is seen to its end all the same', () => {
    expect([...everyField(large)]).toHaveLength(listed + 3);
    expect(fieldsNamed(large, 'x')).toHaveLength(1);
    expect(readAuthor(large)).toEqual({ ok: false, code: 'message.several-from' });
    const edited = applyEdits(large, { remove: [{ name: 'from', occurrence: 2 }], prepend: [] });
    expect(Buffer.from(edited.subarray(-8)).toString()).toBe('\r\nX: y\r\n');
  });
});
