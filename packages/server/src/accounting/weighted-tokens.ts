import { TOKEN_BUCKETS, type TokenBucket, type TokenCounts } from '@tallygate/contract/usage';

/** Buckets that a context tier counts: everything that went in, cached or not. */
const INPUT_BUCKETS = [
  'inputUncached',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'cacheWriteOther',
  'inputAudio',
  'cacheReadAudio',
  'inputImage',
  'inputTool',
] as const satisfies readonly TokenBucket[];

/** Twentieths of an input token, so that 1.25 and 0.1 stay integers (WT-15). */
const WEIGHT_TWENTIETHS: Record<TokenBucket, number> = {
  inputUncached: 20,
  cacheRead: 2,
  cacheWrite5m: 25,
  cacheWrite1h: 40,
  cacheWriteOther: 25,
  inputAudio: 20,
  cacheReadAudio: 2,
  inputImage: 20,
  inputTool: 20,
  outputVisible: 100,
  outputReasoning: 100,
  outputAudio: 100,
  outputImage: 100,
};

/** Sum of all buckets, unknown ones left out; null when every bucket is unknown. */
export function totalTokens(tokens: TokenCounts): number | null {
  let total: number | null = null;
  for (const bucket of TOKEN_BUCKETS) {
    const count = tokens[bucket];
    if (count !== null) total = (total ?? 0) + count;
  }
  return total;
}

/** All input of the call, cached or not, unknown buckets left out: what context tiers are chosen by. */
export function totalInputTokens(tokens: TokenCounts): number {
  let total = 0;
  for (const bucket of INPUT_BUCKETS) total += tokens[bucket] ?? 0;
  return total;
}

/**
 * Tokens as if all were uncached input (WT-15): input 1, cache writes 1.25 (one hour: 2), cache reads 0.1,
 * output 5; one integer, rounded half up once. Null when every bucket is unknown.
 */
export function weightedTokens(tokens: TokenCounts): number | null {
  let twentieths: number | null = null;
  for (const bucket of TOKEN_BUCKETS) {
    const count = tokens[bucket];
    if (count !== null) twentieths = (twentieths ?? 0) + count * WEIGHT_TWENTIETHS[bucket];
  }
  return twentieths === null ? null : Math.floor((twentieths + 10) / 20);
}
