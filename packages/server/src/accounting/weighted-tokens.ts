import type { TokenCounts } from '@tallygate/contract/usage';

/*
 * Every request is summed several times. Spelt out, a sum costs a tenth of one that looks the buckets up by name; that
 * none is left out is tested against the list of them.
 */

/** True when no bucket is known. */
export function isUnknown(tokens: TokenCounts): boolean {
  return (
    tokens.inputUncached === null &&
    tokens.outputVisible === null &&
    tokens.cacheRead === null &&
    tokens.cacheWrite5m === null &&
    tokens.cacheWrite1h === null &&
    tokens.cacheWriteOther === null &&
    tokens.inputAudio === null &&
    tokens.cacheReadAudio === null &&
    tokens.inputImage === null &&
    tokens.inputTool === null &&
    tokens.outputReasoning === null &&
    tokens.outputAudio === null &&
    tokens.outputImage === null
  );
}

/** Sum of all buckets, unknown ones left out; null when every bucket is unknown. */
export function totalTokens(tokens: TokenCounts): number | null {
  return isUnknown(tokens) ? null : totalInputTokens(tokens) + totalOutputTokens(tokens);
}

/** All input of the call, cached or not, unknown buckets left out: what context tiers are chosen by. */
export function totalInputTokens(tokens: TokenCounts): number {
  return (
    (tokens.inputUncached ?? 0) +
    (tokens.cacheRead ?? 0) +
    (tokens.cacheWrite5m ?? 0) +
    (tokens.cacheWrite1h ?? 0) +
    (tokens.cacheWriteOther ?? 0) +
    (tokens.inputAudio ?? 0) +
    (tokens.cacheReadAudio ?? 0) +
    (tokens.inputImage ?? 0) +
    (tokens.inputTool ?? 0)
  );
}

/** All output of the call, unknown buckets left out. */
export function totalOutputTokens(tokens: TokenCounts): number {
  return (
    (tokens.outputVisible ?? 0) +
    (tokens.outputReasoning ?? 0) +
    (tokens.outputAudio ?? 0) +
    (tokens.outputImage ?? 0)
  );
}

/** Input that was written to a cache for five minutes, or for nobody says how long. */
const shortCacheWrites = (tokens: TokenCounts): number =>
  (tokens.cacheWrite5m ?? 0) + (tokens.cacheWriteOther ?? 0);

const cacheReads = (tokens: TokenCounts): number => (tokens.cacheRead ?? 0) + (tokens.cacheReadAudio ?? 0);

/**
 * Tokens as if all were uncached input (WT-15): input 1, cache writes 1.25 (one hour: 2), cache reads 0.1,
 * output 5; one integer, rounded half up once. Null when every bucket is unknown.
 */
export function weightedTokens(tokens: TokenCounts): number | null {
  if (isUnknown(tokens)) return null;
  // In twentieths of an input token, so that 1.25 and 0.1 stay integers.
  const twentieths =
    20 * totalInputTokens(tokens) +
    5 * shortCacheWrites(tokens) +
    20 * (tokens.cacheWrite1h ?? 0) -
    18 * cacheReads(tokens) +
    100 * totalOutputTokens(tokens);
  return Math.floor((twentieths + 10) / 20);
}
