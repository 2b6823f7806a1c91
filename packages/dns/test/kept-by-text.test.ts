import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { KeptByText } from '../src/index.ts';

/** Makes lists of letters, and counts how many it made. */
function counting(maxLength = 10) {
  const made = { times: 0 };
  const kept = new KeptByText((text: string) => {
    made.times++;
    return [...text];
  }, maxLength);
  return { kept, made };
}

describe('What is kept by its text', () => {
  it('is made once', () => {
    const { kept, made } = counting();
    expect(kept.get('name')).toBe(kept.get(['na', 'me'].join('')));
    expect(kept.get('name')).toEqual(['n', 'a', 'm', 'e']);
    expect(made.times).toBe(1);
  });

  it('is not mixed up with what texts beside it make, whatever their characters', () => {
    const { kept } = counting();
    for (const text of ['', 'é', '\u0101', '\ud800', '\ufffd', '\ud83d\ude00', '\0']) {
      expect(kept.get(text)).toEqual([...text]);
      expect(kept.get(text)).toEqual([...text]);
    }
  });

  it('is made each time for a long text', () => {
    const { kept, made } = counting(3);
    expect(kept.get('name')).toEqual(kept.get('name'));
    expect(made.times).toBe(2);
  });

  it('is at most a thousand', () => {
    const { kept, made } = counting();
    for (let number = 0; number < 1_001; number++) kept.get(String(number));
    kept.get('0');
    expect(made.times).toBe(1_002);
  });

  it('may be null', () => {
    let times = 0;
    const kept = new KeptByText(() => {
      times++;
      return null;
    }, 10);
    expect([kept.get('a'), kept.get('a')]).toEqual([null, null]);
    expect(times).toBe(1);
  });

  it('does not keep the text that its own was cut from', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const kept = new KeptByText((text: string) => text, 100);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let number = 0; number < 500; number++) {
      const long = Buffer.alloc(100_000, `${number} `).toString('latin1');
      expect(kept.get(long.slice(0, 50))).toHaveLength(50);
    }
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  });
});
