import { describe, expect, it } from 'vitest';
import { PassingSet } from '../src/passing-set.ts';

const names = ['one', 'two', 'three', 'four'];

function orders<T>(of: readonly T[]): readonly (readonly T[])[] {
  if (of.length === 0) return [[]];
  return of.flatMap((first) => orders(of.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}

function namesOf(set: PassingSet<string>): readonly string[] {
  return set
    .members()
    .map(({ value }) => value)
    .toSorted();
}

describe('a set whose members come and go', () => {
  it('has those that came and did not leave, in whatever order they leave, and once or twice', () => {
    for (const order of orders(names)) {
      const set = new PassingSet<string>();
      const members = names.map((name) => set.add(name));
      const left = new Set<string>();
      for (const name of order) {
        const leaver = members.find(({ value }) => value === name);
        if (leaver === undefined) throw new Error(`no member ${name}`);
        set.delete(leaver);
        set.delete(leaver);
        left.add(name);
        expect(namesOf(set)).toEqual(names.filter((other) => !left.has(other)).toSorted());
        expect(set.size).toBe(names.length - left.size);
      }
      set.add('late');
      expect(namesOf(set)).toEqual(['late']);
    }
  });

  it('tells its members as they were when asked, though they leave meanwhile', () => {
    const set = new PassingSet<string>();
    for (const name of names) set.add(name);
    const told: string[] = [];
    for (const member of set.members()) {
      set.delete(member);
      told.push(member.value);
    }
    expect(told).toEqual(names);
    expect(set.size).toBe(0);
  });
});
