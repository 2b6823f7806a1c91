import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rfc3339 } from '../src/rfc3339.ts';

describe('RFC 3339 text of t= and x=', () => {
  it('is what a date says', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999_999 }), (seconds) => {
        expect(rfc3339(seconds)).toBe(new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
      }),
    );
  });

  it.each([0, 59, 3_599, 86_399, 86_400, 999_999_999_999])('of %i seconds', (seconds) => {
    expect(rfc3339(seconds)).toBe(new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
  });
});
