import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WEAK_STEMS } from './common-passwords.ts';
import { assertStrongPassword } from './password-rules.ts';

function taken(password: string, username = 'maria'): boolean {
  try {
    assertStrongPassword(password, username);
    return true;
  } catch {
    return false;
  }
}
const LEET: Record<string, string> = { a: '4', e: '3', i: '1', o: '0', s: '5', t: '7' };
const stem = fc.constantFrom(...WEAK_STEMS.filter((word) => word.length >= 4));
const digits = fc.stringMatching(/^[0-9]{0,4}$/);
const sign = fc.constantFrom('', '!', '_', '-', '.', '#', ' ');

describe('variants of well-known passwords (TW-01)', () => {
  it('one or several placeholders with digits and signs around them stay placeholders', () => {
    fc.assert(
      fc.property(
        fc.array(stem, { minLength: 1, maxLength: 3 }),
        sign,
        digits,
        sign,
        (words, glue, number, end) => {
          expect(taken(`${words.join(glue)}${number}${end}`)).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('so do those in capitals, with digits for letters, in full width, or with accents', () => {
    fc.assert(
      fc.property(stem, digits, (word, number) => {
        const password = `${word}${word}${number}`;
        const leet = [...password].map((char) => LEET[char] ?? char).join('');
        const wide = [...password]
          .map((char) => String.fromCodePoint(char.codePointAt(0)! + 0xfee0))
          .join('');
        const accented = password.replace(/[aeiou]/g, (vowel) => `${vowel}\u0301`);
        for (const variant of [password.toUpperCase(), leet, wide, accented, accented.normalize('NFC')])
          expect([variant, taken(variant)]).toEqual([variant, false]);
      }),
      { numRuns: 80, examples: [['abcdef', '0000']] },
    );
  });

  it('a name with something around it is refused for whoever has that name, and the case of it says nothing', () => {
    const name = fc.stringMatching(/^[a-z]{6,14}$/).filter((text) => new Set(text).size >= 5);
    fc.assert(
      fc.property(name, digits, (username, number) => {
        for (const password of [
          `${username}${number}`,
          `${username}${username}`,
          `${username.toUpperCase()}${number}!`,
        ])
          if (password.length >= 12) expect([password, taken(password, username)]).toEqual([password, false]);
      }),
      { numRuns: 80 },
    );
  });

  it('the same password is judged the same however its characters are composed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 12, maxLength: 30 }), (text) => {
        const [composed, decomposed] = [text.normalize('NFC'), text.normalize('NFD')];
        fc.pre([...composed].length >= 12);
        if (taken(composed)) expect(taken(decomposed)).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  it('is judged in bounded time, however long it is', () => {
    const startedMs = performance.now();
    for (const text of [
      'a'.repeat(1_024),
      'ab'.repeat(512),
      'password'.repeat(128),
      '1'.repeat(1_024),
      '\u0301'.repeat(1_024),
    ])
      taken(text);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
