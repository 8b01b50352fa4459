import { describe, expect, it } from 'vitest';
import { nameSchema } from './common.ts';

const taken = (name: string): boolean => nameSchema.safeParse(name).success;

describe('names that people give', () => {
  it.each(['laptop', 'Büro 2', '財務', 'ci/cd (prod)', '<b>', '=1+1', 'مفتاح', 'שלום'])('%s', (name) => {
    expect(nameSchema.parse(`  ${name} `)).toBe(name);
  });

  it.each(['', '   ', 'a\nb', 'a\tb', 'a\u0000b', 'a\u0007b', 'a\u007fb', 'a\u0085b', 'x'.repeat(101)])(
    'are not empty, too long, or with control characters: %j',
    (name) => expect(taken(name)).toBe(false),
  );

  it.each(['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'])(
    'do not turn the text around them: %j',
    (mark) => {
      for (const name of [`${mark}gnp.exe`, `a${mark}b`, `a${mark}`]) expect(taken(name)).toBe(false);
    },
  );
});
