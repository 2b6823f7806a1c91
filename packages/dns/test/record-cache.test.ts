import { describe, expect, it } from 'vitest';
import { RecordCache } from '../src/index.ts';

/** A cache whose readings tell how many there were before. */
function countingCache(maxCharacters?: number): { cache: RecordCache<{ text: string }>; read: string[] } {
  const read: string[] = [];
  const cache = new RecordCache((text) => {
    read.push(text);
    return { text };
  }, maxCharacters);
  return { cache, read };
}

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('RecordCache', () => {
  it('reads a record once, whether the same octets or the same text comes again', () => {
    const { cache, read } = countingCache();
    const record = octets('v=spf1 \u00e9 -all');
    const reading = cache.read(record);
    expect(reading).toEqual({ text: 'v=spf1 \u00e9 -all' });
    expect(cache.read(record)).toBe(reading);
    expect(cache.read(octets('v=spf1 \u00e9 -all'))).toBe(reading);
    expect(read).toHaveLength(1);
  });

  it('reads the part of a buffer that the record is', () => {
    const { cache } = countingCache();
    const buffer = octets('onetwo');
    expect(cache.read(buffer.subarray(0, 3))).toEqual({ text: 'one' });
    expect(cache.read(buffer.subarray(3))).toEqual({ text: 'two' });
  });

  it('keeps what is asked for again, and lets go of the rest, by octets too', () => {
    const { cache, read } = countingCache(10);
    const [hot, cold] = [octets('hot..'), octets('cold.')];
    cache.read(hot);
    cache.read(cold);
    for (const other of ['a....', 'b....', 'c....', 'd....']) {
      cache.read(octets(other));
      cache.read(hot);
    }
    cache.read(cold);
    expect(read.filter((text) => text === 'hot..')).toHaveLength(1);
    expect(read.filter((text) => text === 'cold.')).toHaveLength(2);
  });

  it('does not keep what is longer than records are', () => {
    const { cache, read } = countingCache();
    const long = octets('x'.repeat(2049));
    cache.read(long);
    cache.read(long);
    expect(read).toHaveLength(2);
  });
});
