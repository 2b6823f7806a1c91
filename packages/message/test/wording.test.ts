import { describe, expect, it } from 'vitest';
import { fillTemplate } from '../src/index.ts';

describe('explanations', () => {
  it('hold the values of their placeholders', () => {
    expect(fillTemplate('{a} and {b}', { a: 'x', b: 3 })).toBe('x and 3');
  });

  it('show ? for what there is no value for', () => {
    expect(fillTemplate('{a} {toString} {__proto__} {list}', { list: ['x'] })).toBe('? ? ? ?');
  });

  it('are one line of printable text, whatever the values hold', () => {
    const value = 'a\r\nb\0c\u2028d\u202ee\u200bf\ud800g{b}';
    expect(fillTemplate('{a}', { a: value, b: 'x' })).toBe('a??b?c?d?e?f?g{b}');
  });

  it('are of bounded length', () => {
    expect(fillTemplate('{a}', { a: 'x'.repeat(1e6) })).toBe(`${'x'.repeat(300)}…`);
  });
});
