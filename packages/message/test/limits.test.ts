import { describe, expect, it } from 'vitest';
import { exceededLimit, messageLimits, parseHeader } from '../src/index.ts';

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
