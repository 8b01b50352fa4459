import fc from 'fast-check';
import { expect, it } from 'vitest';
import { detached } from './detached.ts';

it('is the same text, whatever its script', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => detached(text) === text));
  expect(detached('caf\u00e9 \u{1f600} \u00ff')).toBe('caf\u00e9 \u{1f600} \u00ff');
});

it('has no half of a surrogate pair', () => {
  expect(detached('a\ud83d')).toBe('a\ufffd');
});
