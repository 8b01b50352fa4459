import { describe, expect, it } from 'vitest';
import { matchesGlob } from './glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['claude-*', 'claude-opus-4-1', true],
    ['claude-*', 'claude-', true],
    ['claude-*', 'Claude-opus', false],
    ['*opus*', 'claude-opus-4-1', true],
    ['*opus', 'claude-opus-4-1', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*', '', true],
    ['', '', true],
    ['', 'x', false],
    ['a.b', 'axb', false],
    ['[a]', 'a', false],
    ['**', 'anything', true],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it('agrees with a regular expression on every short pattern and text', () => {
    const words = (alphabet: string, length: number): string[] =>
      length === 0 ? [''] : [...alphabet].flatMap((c) => words(alphabet, length - 1).map((rest) => c + rest));
    const texts = [0, 1, 2, 3, 4].flatMap((length) => words('ab', length));
    for (const pattern of [0, 1, 2, 3, 4].flatMap((length) => words('ab*', length))) {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      for (const text of texts)
        expect([pattern, text, matchesGlob(pattern, text)]).toEqual([pattern, text, expression.test(text)]);
    }
  });

  it('does not explode on a pattern of many stars', () => {
    expect(matchesGlob(`${'a*'.repeat(90)}b`, 'a'.repeat(20_000))).toBe(false);
  });
});
