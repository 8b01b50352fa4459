import { TOKEN_BUCKETS, type TokenCounts, unknownTokens } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isUnknown,
  totalInputTokens,
  totalOutputTokens,
  totalTokens,
  weightedTokens,
} from './weighted-tokens.ts';

const tokens = (counts: Partial<TokenCounts>): TokenCounts => ({ ...unknownTokens(), ...counts });
const anyTokens = fc.record(
  Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, fc.option(fc.nat(2_000_000), { nil: null })])),
) as fc.Arbitrary<TokenCounts>;

describe('weighted tokens (WT-15)', () => {
  it('weighs 100 in, 40 written, 1,000 read and 20 out as 350', () => {
    const counts = { inputUncached: 100, cacheRead: 1000, outputVisible: 20 };
    expect(weightedTokens(tokens({ ...counts, cacheWrite5m: 40 }))).toBe(350);
    expect(weightedTokens(tokens({ ...counts, cacheWriteOther: 40 }))).toBe(350);
    expect(weightedTokens(tokens({ ...counts, cacheWrite1h: 25 }))).toBe(350);
  });

  it.each([
    ['inputUncached', 100],
    ['inputAudio', 100],
    ['inputImage', 100],
    ['inputTool', 100],
    ['cacheRead', 10],
    ['cacheReadAudio', 10],
    ['cacheWrite5m', 125],
    ['cacheWriteOther', 125],
    ['cacheWrite1h', 200],
    ['outputVisible', 500],
    ['outputReasoning', 500],
    ['outputAudio', 500],
    ['outputImage', 500],
  ] as const)('weighs 100 tokens of %s as %i', (bucket, weight) => {
    expect(weightedTokens(tokens({ [bucket]: 100 }))).toBe(weight);
  });

  it('rounds half up, once, as one integer', () => {
    expect(weightedTokens(tokens({ cacheRead: 4 }))).toBe(0);
    expect(weightedTokens(tokens({ cacheRead: 5 }))).toBe(1);
    expect(weightedTokens(tokens({ cacheRead: 5, cacheReadAudio: 5 }))).toBe(1);
    expect(weightedTokens(tokens({ cacheRead: 15 }))).toBe(2);
    expect(weightedTokens(tokens({ cacheWrite5m: 2 }))).toBe(3);
  });

  it('tells unknown from zero', () => {
    expect(weightedTokens(unknownTokens())).toBeNull();
    expect(totalTokens(unknownTokens())).toBeNull();
    expect(weightedTokens(tokens({ inputUncached: 0 }))).toBe(0);
    expect(totalTokens(tokens({ inputUncached: 0 }))).toBe(0);
  });

  it('agrees with the same sum in floating point, within half a token', () => {
    const weight = (bucket: string) => {
      if (bucket.startsWith('output')) return 5;
      if (bucket.startsWith('cacheRead')) return 0.1;
      if (bucket === 'cacheWrite1h') return 2;
      return bucket.startsWith('cacheWrite') ? 1.25 : 1;
    };
    fc.assert(
      fc.property(anyTokens, (counts) => {
        const known = TOKEN_BUCKETS.filter((bucket) => counts[bucket] !== null);
        const weighted = weightedTokens(counts);
        if (known.length === 0) expect(weighted).toBeNull();
        else {
          const exact = known.reduce((sum, bucket) => sum + counts[bucket]! * weight(bucket), 0);
          expect(Math.abs(weighted! - exact)).toBeLessThanOrEqual(0.5001);
          expect(totalTokens(counts)).toBe(known.reduce((sum, bucket) => sum + counts[bucket]!, 0));
        }
      }),
    );
  });

  it.each(TOKEN_BUCKETS)('leaves out %s nowhere', (bucket) => {
    const one = tokens({ [bucket]: 7 });
    expect(isUnknown(one)).toBe(false);
    expect(totalTokens(one)).toBe(7);
    expect([totalInputTokens(one), totalOutputTokens(one)]).toEqual(
      bucket.startsWith('output') ? [0, 7] : [7, 0],
    );
    expect(isUnknown(tokens({ [bucket]: 0 }))).toBe(false);
  });

  it('counts everything that went in, and nothing that came out, as input', () => {
    const one = Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, 1])) as TokenCounts;
    expect(totalInputTokens(one)).toBe(9);
    expect(totalInputTokens(tokens({ outputVisible: 5 }))).toBe(0);
  });
});
