import { Prober } from '../src/guard.ts';
import { loadFound } from '../src/files.ts';
import { afterAll, describe, expect, test } from 'vitest';

const found = loadFound();
const probers = new Map(found.map(({ target }) => [target, new Prober(target)]));

describe('what fuzzing found stays fixed', () => {
  afterAll(async () => {
    for (const prober of probers.values()) await prober.end();
  });

  test('there is something to replay', () => expect(found.length).toBeGreaterThan(0));

  test.each(found)('$target/$file', async ({ target, input }) => {
    expect(await probers.get(target)?.probe(input)).toBeNull();
  });
});
