import { expect, it } from 'vitest';
import { keptWith } from '../src/index.ts';

it('What is kept with an object is made once for each, null included', () => {
  const asked: object[] = [];
  const kept = keptWith((from: { readonly value: string | null }) => {
    asked.push(from);
    return from.value;
  });
  const [one, other, none] = [{ value: 'a' }, { value: 'a' }, { value: null }];
  expect([one, other, none, one, other, none].map(kept)).toEqual(['a', 'a', null, 'a', 'a', null]);
  expect(asked).toEqual([one, other, none]);
});
