import { z } from 'zod';

/**
 * Token buckets are disjoint: no token is in two of them, and their sum is what the provider bills.
 * `null` means the answer did not say; `0` is a value the answer gave or a count that cannot occur.
 */
export const TOKEN_BUCKETS = [
  'inputUncached',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  /** Cache writes whose lifetime the provider does not name (OpenAI `cache_write_tokens`). */
  'cacheWriteOther',
  'inputAudio',
  'cacheReadAudio',
  'inputImage',
  /** Prompt tokens added by server-side tools (Gemini `toolUsePromptTokenCount`). */
  'inputTool',
  'outputVisible',
  'outputReasoning',
  'outputAudio',
  'outputImage',
] as const;
export type TokenBucket = (typeof TOKEN_BUCKETS)[number];
export type TokenCounts = Record<TokenBucket, number | null>;

/** Server-tool uses billed per use rather than per token. */
export const UNIT_COUNTS = ['webSearchRequests', 'webFetchRequests', 'codeExecutionRequests'] as const;
export type UnitCount = (typeof UNIT_COUNTS)[number];
export type UnitCounts = Record<UnitCount, number | null>;

/**
 * Whether the row has a cost: `priced` by a card, `free` by an explicit zero card, `unpriced` because no card
 * matches exactly (cost is null, never zero: X-03), `no_usage` because nothing billable is known of the request.
 */
export const PRICE_STATUSES = ['priced', 'free', 'unpriced', 'no_usage'] as const;
export type PriceStatus = (typeof PRICE_STATUSES)[number];

/**
 * How the row was settled: `final` from the provider's own usage, `estimated` after an abort or a missing usage
 * report, `interrupted` when the process died before the request ended, `refunded` when nothing is owed for it.
 */
export const SETTLE_STATUSES = ['final', 'estimated', 'interrupted', 'refunded'] as const;
export type SettleStatus = (typeof SETTLE_STATUSES)[number];

/**
 * Outcome of the request as the client met it. `ok`: complete answer below 400. `client_error`: 4xx from the
 * upstream. `upstream_error`: 5xx, an in-stream error, or a broken connection. `timeout`: one of our three
 * timeouts. `aborted`: the client left first. `rejected`: refused by the gate. `interrupted`: the gate died.
 */
export const REQUEST_STATUSES = [
  'ok',
  'client_error',
  'upstream_error',
  'timeout',
  'aborted',
  'rejected',
  'interrupted',
] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

const nullableCount = z.number().int().nonnegative().nullable();

export const tokenCountsSchema = z.object(
  Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, nullableCount])) as Record<
    TokenBucket,
    typeof nullableCount
  >,
);
export const unitCountsSchema = z.object(
  Object.fromEntries(UNIT_COUNTS.map((unit) => [unit, nullableCount])) as Record<
    UnitCount,
    typeof nullableCount
  >,
);

const UNKNOWN_TOKENS = Object.freeze(
  Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, null])) as TokenCounts,
);
const UNKNOWN_UNITS = Object.freeze(
  Object.fromEntries(UNIT_COUNTS.map((unit) => [unit, null])) as UnitCounts,
);

/** Every bucket unknown: the state before a provider has said anything. */
export function unknownTokens(): TokenCounts {
  return { ...UNKNOWN_TOKENS };
}

/** Every unit count unknown. */
export function unknownUnits(): UnitCounts {
  return { ...UNKNOWN_UNITS };
}
