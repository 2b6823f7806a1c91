import { describe, expect, it } from 'vitest';
import { generateMessage, generateMessages, messageFeatures, seededRandom } from '../src/index.ts';

const singletons = [
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
];

function fieldNames(wire: Buffer): string[] {
  const end = wire.indexOf('\r\n\r\n');
  const header = wire.subarray(0, end < 0 ? wire.length : end + 2).toString('latin1');
  return [...header.matchAll(/^([^ \t\r\n][^:\r\n]*):/gmu)].map(([, name = '']) => name.toLowerCase());
}

describe('generated messages', () => {
  it('are a function of seed and index alone', () => {
    expect(generateMessages(7, 20)[13]).toEqual(generateMessage(7, 13));
    expect(generateMessage(8, 13).raw).not.toEqual(generateMessage(7, 13).raw);
  });

  it('show every feature, and all singleton fields exactly once', () => {
    const seen = new Set<string>();
    for (const { features, wire, raw, index } of generateMessages(1, 260)) {
      for (const feature of features) seen.add(feature);
      const names = fieldNames(wire);
      for (const name of singletons)
        expect({ index, name, count: names.filter((n) => n === name).length }).toEqual({ index, name, count: 1 });
      const text = wire.toString('latin1');
      expect(text.endsWith('\r\n')).toBe(true);
      expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/u);
      const handedIn = features.has('lf-only')
        ? raw.toString('latin1').replaceAll('\n', '\r\n')
        : raw.toString('latin1');
      expect([handedIn, `${handedIn}\r\n`]).toContain(text);
    }
    expect([...seen].toSorted()).toEqual([...messageFeatures].toSorted());
  });
});

describe('seededRandom', () => {
  it('covers its whole range', () => {
    const random = seededRandom('range');
    const seen = new Set(Array.from({ length: 500 }, () => random.between(3, 9)));
    expect([...seen].toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });
});
