import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestTags } from './request-tags.ts';

const tagsOf = (value: string): readonly string[] => requestTags({ 'x-tallygate-tags': value });

describe('requestTags (TW-12)', () => {
  it('reads a list, each tag once, in order', () => {
    expect(requestTags({})).toEqual([]);
    expect(tagsOf('')).toEqual([]);
    expect(tagsOf('nightly, team:search ,, nightly,a b')).toEqual(['nightly', 'team:search', 'a b']);
  });

  it('refuses what is not bounded, without quoting it', () => {
    expect(() => tagsOf(Array.from({ length: 11 }, (_, i) => `t${i}`).join(','))).toThrow(/more than 10/);
    expect(() => tagsOf('x'.repeat(65))).toThrow(/over 64/);
    expect(() => tagsOf('caf\u00e9-S3CRET')).toThrow(/printable ASCII/);
    expect(() => tagsOf('caf\u00e9-S3CRET')).not.toThrow(/S3CRET/);
  });

  it('gives bounded, distinct, clean tags or refuses, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (value) => {
        let tags: readonly string[];
        try {
          tags = tagsOf(value);
        } catch {
          return;
        }
        expect(tags.length).toBeLessThanOrEqual(10);
        expect(new Set(tags).size).toBe(tags.length);
        for (const tag of tags) expect(tag).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/);
      }),
    );
  });
});
