import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCommonPassword } from './common-password-lookup.ts';

const LETTERS: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  $: 's',
  '@': 'a',
};
const asLetters = (text: string): string => [...text].map((char) => LETTERS[char] ?? char).join('');
const common = (plain: string): boolean => isCommonPassword(plain, asLetters);

describe('isCommonPassword (TW-01)', () => {
  it.each(['password', 'superstar', 'christopher', 'liverpool', 'barcelona', 'iloveyou'])(
    '%s is one',
    (word) => {
      expect(common(word)).toBe(true);
    },
  );

  it.each([
    ['with digits behind', 'superstar2024'],
    ['with signs around', '!!christopher!!'],
    ['with digits for letters', 'b4rc3l0na'],
    ['with both', '#b4rc3l0na#99'],
    ['twice', 'chocolatechocolate'],
    ['twice with digits behind', 'chocolatechocolate99'],
    ['with eight trimmings', '1234superstar5678'],
  ])('a common one %s is one', (_how, plain) => expect(common(plain)).toBe(true));

  it.each([
    ['with more around it than people remember', '12345superstar67890'],
    ['three times', 'chocolatechocolatechocolate'],
    ['beside another word', 'superstar chocolate'],
    ['as a part of a word', 'xsuperstarx'],
    ['cut', 'superst'],
  ])('a common one %s is none by itself', (_how, plain) => expect(common(plain)).toBe(false));

  it('nothing that spans two lines of the list is one, and neither is nothing', () => {
    for (const plain of ['superstar\nliverpool', '\n', '', 'superstar\nx', '1\n2'])
      expect([plain, common(plain)]).toEqual([plain, false]);
  });

  it('random text is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 24 }), (bytes) => {
        expect(common(Buffer.from(bytes).toString('base64url').toLowerCase())).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});
